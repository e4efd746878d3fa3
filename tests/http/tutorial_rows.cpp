// SPDX-License-Identifier: BSL-1.0
// What the tutorials say of HTTP (the rows S40, S45, S61, S65), on a site of our own.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/runner.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using http::ClientSession;
using http::ClientTimeout;
using http::RequestOptions;
using http::URL;
using test::serve;
using test::Served;

namespace {

/// An API: 100 ms an answer; the first request for 3 hangs, that for 5 is refused.
class Api {
 public:
  web::Application application() {
    web::Application app;
    app.get("/item/{id:int}", [this](web::Request&, int id) { return item(id); });
    return app;
  }
  int most = 0;
  int asked = 0;

 private:
  Coro<web::Response> item(int id) {
    ++asked;
    most = std::max(most, ++now_);
    bool first = std::find(seen_.begin(), seen_.end(), id) == seen_.end();
    seen_.push_back(id);
    Delay pause = 100ms;
    if (first && id == 3) pause = 1h;
    auto waited = co_await capture(sleep(pause));
    --now_;
    waited.value();
    if (first && id == 5) throw web::HTTPServiceUnavailable();
    co_return web::Response("item " + std::to_string(id));
  }

  int now_ = 0;
  std::vector<int> seen_;
};

Coro<std::string> call(ClientSession session, URL url, Semaphore& slots) {
  RequestOptions options;
  options.timeout(ClientTimeout().total(1s)).raise_for_status(true);
  for (int attempt = 1;; ++attempt) {
    auto slot = co_await slots.scoped();
    auto answer = co_await capture(session.get(url, options));
    if (answer) co_return co_await answer->text();
    if (attempt == 3) answer.rethrow();
  }
}

TEST(TutorialRows, S45_bounded_calls_of_an_api_with_timeouts_and_retries) {
  run_simulated([]() -> Coro<> {
    Api api;
    Served served = co_await serve(api.application());
    ClientSession session;
    Semaphore slots(4);
    std::vector<Coro<std::string>> calls;
    for (int id = 0; id < 20; ++id)
      calls.push_back(call(session, served.url() / "item" / std::to_string(id), slots));
    std::vector<std::string> answers = co_await gather(std::move(calls));
    session.close();
    co_await served.cleanup();
    for (int id = 0; id < 20; ++id)
      EXPECT_EQ(answers.at(static_cast<std::size_t>(id)), "item " + std::to_string(id));
    EXPECT_EQ(api.most, 4);
    EXPECT_EQ(api.asked, 22) << "one was late, one refused";
  });
}

TEST(TutorialRows, S40_three_pages_at_once_over_one_session) {
  run_simulated([]() -> Coro<> {
    Api api;
    Served served = co_await serve(api.application());
    EventLoop loop = get_running_loop();
    TimePoint begin = loop.time();
    co_await with(ClientSession(), [&](ClientSession& session) -> Coro<> {
      auto fetch = [&](int id) -> Coro<std::string> {
        auto response = co_await session.get(served.url() / "item" / std::to_string(id));
        co_return co_await response.text();
      };
      auto [one, two, four] = co_await gather(fetch(1), fetch(2), fetch(4));
      EXPECT_EQ(one + two + four, "item 1item 2item 4");
    });
    EXPECT_LT(loop.time() - begin, 200ms);
    co_await served.cleanup();
  });
}

TEST(TutorialRows, S61_S65_a_route_as_in_express_asked_as_with_aiohttp) {
  run_simulated([]() -> Coro<> {
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("Hello"); });
    Served served = co_await serve(std::move(app));
    co_await with(ClientSession(), [&](ClientSession& session) -> Coro<> {
      http::ClientResponse response = co_await session.get(served.url());
      EXPECT_EQ(response.status().code(), 200);
      std::string text = co_await response.text();
      EXPECT_EQ(text, "Hello");
    });
    co_await served.cleanup();
  });
}

}  // namespace
