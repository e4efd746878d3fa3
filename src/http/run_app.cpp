// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/stop_signals.hpp"
#include "asyncio/web/runner.hpp"

#include <cstdio>

namespace asyncio::web {

namespace {

void print_where(const AppRunner& runner, bool secure) {
  for (const SocketAddress& address : runner.addresses())
    std::printf("======== Running on %s://%s ========\n", secure ? "https" : "http",
                address.str().c_str());
  std::printf("(Press CTRL+C to quit)\n");
  std::fflush(stdout);
}

Coro<> serve_until_stopped(AppRunner runner, TCPSite site, bool secure) {
  StopSignals signals;
  co_await site.start();
  print_where(runner, secure);
  co_await signals.wait();
}

}  // namespace

Coro<> serve_app(Application app, std::string host, std::uint16_t port, RunnerOptions options,
                 ServerOptions site) {
  AppRunner runner(std::move(app), std::move(options));
  co_await runner.setup();
  bool secure = site.get_ssl().has_value();
  TCPSite place(runner, std::move(host), port, std::move(site));
  auto cleanup = runner.cleanup();  // made now: at the end there may be no memory for it
  auto outcome = co_await capture(serve_until_stopped(runner, place, secure));
  co_await std::move(cleanup);
  outcome.value();
}

int run_app(Application app, std::string host, std::uint16_t port, RunnerOptions options,
            ServerOptions site) {
  return run_main(
      serve_app(std::move(app), std::move(host), port, std::move(options), std::move(site)));
}

}  // namespace asyncio::web
