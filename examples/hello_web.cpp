// SPDX-License-Identifier: BSL-1.0
// hello_web: says Hello on http://localhost:3000/ until Ctrl-C.
#include <asyncio/asyncio.hpp>
#include <asyncio/web/runner.hpp>

using namespace asyncio;

Coro<web::Response> hello(web::Request&) { co_return web::Response("Hello"); }

Coro<> serve() {
  web::Application app;
  app.add_get("/", hello);

  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();
  auto outcome = co_await capture(Event().wait());
  co_await runner.cleanup();
  outcome.value();
}

int main() { return run_main(serve()); }
