// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [call]
/// An answer of the API: 200 ms for each attempt, three attempts, and a pause between them.
Coro<std::string> call_api(http::ClientSession session, int id) {
  http::RequestOptions options;
  options.timeout(http::ClientTimeout().total(200ms)).raise_for_status(true);
  for (int attempt = 1;; ++attempt) {
    auto answer = co_await capture(session.get("/item/" + std::to_string(id), options));
    if (answer) co_return co_await answer->text();
    if (!answer.holds<http::ClientError>() || attempt == 3) answer.rethrow();
    co_await sleep(50ms * attempt);
  }
}

/// All of them, at most four at once.
Coro<> fan_out() {
  http::ClientSession session(http::SessionOptions().base_url("http://localhost:3000"));
  Semaphore slots(4);
  auto call = [&](int id) -> Coro<std::string> {
    auto slot = co_await slots.scoped();
    co_return co_await call_api(session, id);
  };
  std::vector<Coro<std::string>> calls;
  for (int id = 1; id <= 12; ++id) calls.push_back(call(id));
  auto answers = co_await gather(return_exceptions, std::move(calls));
  for (auto& answer : answers) {
    if (answer)
      std::cout << answer.value() << "\n";
    else
      std::cout << describe_exception(answer.exception()) << "\n";
  }
  session.close();
}
// [/call]

/// An API that is slow, busy or broken now and then.
Coro<> program() {
  int now = 0, most = 0, asked = 0;
  web::Application app;
  app.get("/item/{id:int}", [&](web::Request&, int id) -> Coro<web::Response> {
    ++asked;
    most = std::max(most, ++now);
    auto pause = asked == 2 ? 1000ms : 20ms;
    auto answer = co_await capture(sleep(pause));
    --now;
    answer.value();
    if (id == 7) throw web::HTTPNotFound();
    if (asked % 5 == 0) throw web::HTTPServiceUnavailable();
    co_return web::Response("item " + std::to_string(id));
  });
  co_await with_site(std::move(app), [&]() -> Coro<> { co_await fan_out(); });
  std::cout << "at most " << most << " at once\n";
}

int main() { run(program()); }
