// SPDX-License-Identifier: BSL-1.0
/// What the programs about HTTP ask: a site in the same process.
#pragma once

#include <asyncio/asyncio.hpp>
#include <asyncio/web/runner.hpp>

#include <utility>

/// Serves `app` on http://localhost:3000/ while `body` runs.
template <class F>
asyncio::Coro<> with_site(asyncio::web::Application app, F body) {
  asyncio::web::AppRunner runner(std::move(app));
  co_await runner.setup();
  asyncio::web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();
  auto outcome = co_await asyncio::capture(body());
  co_await runner.cleanup();
  outcome.value();
}
