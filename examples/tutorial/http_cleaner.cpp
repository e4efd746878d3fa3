// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>

#include <iostream>
#include <map>
#include <optional>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [service]
/// A service with something that runs beside its requests, as long as they do.
class Squares {
 public:
  web::Application application() {
    web::Application app;
    app.get("/square/{n:int}", [this](web::Request&, int n) -> Coro<web::Response> {
      auto [entry, is_new] = cache_.try_emplace(n, n * n);
      co_return web::Response(std::to_string(entry->second) + (is_new ? "" : ", remembered"));
    });
    app.on_startup([this](web::Application&) -> Coro<> {
      cleaner_ = create_task([this]() -> Coro<> {
        while (true) {
          co_await sleep(60s);
          std::cout << "cache cleaned: " << cache_.size() << " removed\n";
          cache_.clear();
        }
      });
      co_return;
    });
    app.on_cleanup([this](web::Application&) -> Coro<> {
      cleaner_->cancel();
      co_await wait(*cleaner_);
      std::cout << "cleaner cancelled: " << std::boolalpha << cleaner_->cancelled() << "\n";
    });
    return app;
  }

 private:
  std::map<int, int> cache_;
  std::optional<Task<>> cleaner_;
};
// [/service]

Coro<> program() {
  Squares service;
  co_await with_site(service.application(), [&]() -> Coro<> {
    http::ClientSession session(http::SessionOptions().base_url("http://localhost:3000"));
    for (int request = 1; request <= 3; ++request) {
      auto response = co_await session.get("/square/12");
      std::cout << co_await response.text() << "\n";
      co_await sleep(40s);
    }
    session.close();
  });
}

int main() { run(program()); }
