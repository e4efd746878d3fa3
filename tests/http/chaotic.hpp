// SPDX-License-Identifier: BSL-1.0
/// What the tests of HTTP through the chaos proxy share.
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/runner.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "chaos_proxy.hpp"
#include "connected.hpp"
#include "rounds.hpp"
#include "seeds.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// What the bytes go over.
enum class Wire { plain, tls, http2 };
inline constexpr Wire kWires[]{Wire::plain, Wire::tls, Wire::http2};

inline const char* name_of(Wire wire) {
  return wire == Wire::plain ? "plain" : wire == Wire::tls ? "TLS" : "HTTP/2";
}

inline constexpr std::chrono::milliseconds kLimit = kSanitized ? 2000ms : 700ms;  // of a request
inline constexpr std::chrono::milliseconds kHang = 20s;  // a hang, for the test
inline constexpr std::chrono::milliseconds kGrace = 3s;  // of a machine that has other work
inline constexpr int kAtOnce = 8;
/// Seeds of a sample; ASYNCIO_SEEDS asks for more.
inline constexpr std::uint64_t kSample = kSanitized ? 1 : 3;

using Outcomes = std::vector<std::string>;

/// How a client that has this limit fares: the outcome that it has itself, "error: ..." for an
/// exception of the client's own, or what is wrong.
inline Coro<std::string> outcome_of(Coro<std::string> asking, std::chrono::milliseconds limit) {
  auto outcome = co_await asyncio::capture(asyncio::wait_for(std::move(asking), limit + kGrace));
  if (outcome.has_value()) co_return outcome.value();
  bool clear = outcome.holds<asyncio::http::ClientError>();
  co_return (clear ? "error: " : "wrong: ") + asyncio::describe_exception(outcome.exception());
}

/// All bytes, or an error: nothing else will do.
inline int count_exact(const Outcomes& outcomes, const ChaosProxy& proxy) {
  int exact = 0;
  for (const std::string& outcome : outcomes) {
    EXPECT_TRUE(outcome == "exact" || outcome.starts_with("error: ")) << outcome << "\n"
                                                                      << proxy.log();
    exact += outcome == "exact" ? 1 : 0;
  }
  return exact;
}

inline asyncio::http::SessionOptions session_options(Wire wire) {
  using asyncio::http::Http2;
  asyncio::http::SessionOptions options;
  options.ssl(pki().client());
  return options.http2(wire == Wire::http2 ? Http2::Negotiated : Http2::Off);
}

inline asyncio::http::RequestOptions within(std::chrono::milliseconds limit) {
  asyncio::http::RequestOptions options;
  return options.timeout(asyncio::http::ClientTimeout().total(limit));
}

inline std::string base_of(Wire wire, std::uint16_t port, const std::string& scheme = "http") {
  return scheme + (wire == Wire::plain ? "" : "s") + "://127.0.0.1:" + std::to_string(port);
}

/// Of our server.
inline ServerOptions server_options(Wire wire) {
  ServerOptions options;
  if (wire == Wire::plain) return options;
  TlsContext context = pki().server();
  if (wire == Wire::http2) context.set_alpn_protocols({"h2", "http/1.1"});
  return options.ssl(context);
}

inline Coro<asyncio::web::AppRunner> serve_over(Wire wire, asyncio::web::Application app) {
  asyncio::web::AppRunner runner(std::move(app));
  co_await runner.setup();
  asyncio::web::TCPSite site(runner, "127.0.0.1", 0, server_options(wire));
  co_await site.start();
  co_return runner;
}

/// Each seed in a loop of its own, over each wire. `main(seed, wire)` gives how many were exact.
/// A loop leaves no descriptor open.
template <class F>
void for_each_chaos(const asyncio::RunOptions& options, F main) {
  for (Wire wire : kWires) {
    SCOPED_TRACE(name_of(wire));
    int exact = 0;
    auto once = [&](std::uint64_t seed) {
      auto before = open_descriptors();
      exact += asyncio::run(main(seed, wire), options);
      EXPECT_TRUE(eventually([&] { return open_descriptors() <= before; }))
          << open_descriptors() - before << " descriptors left open";
    };
    for_each_seed(once, kSample);
    EXPECT_TRUE(exact > 0 || std::getenv("SEED")) << "nothing ever arrived";
  }
}

}  // namespace test
