// SPDX-License-Identifier: BSL-1.0
// Seed 1 scene 1: the crawler, with a stub in place of the HTTP client.
#include "python.hpp"

using namespace py;

class Response {
 public:
  explicit Response(std::string url) : url_(std::move(url)) {}

  Coro<Response&> aenter() {
    co_await asyncio::sleep(0s);
    co_return *this;
  }

  bool aexit(std::exception_ptr) {
    print("response closed:", url_);
    return false;
  }

  Coro<std::string> text() {
    co_await asyncio::sleep(0s);
    co_return "page of " + url_;
  }

 private:
  std::string url_;
};

class Session {
 public:
  Session& aenter() {
    print("session open");
    return *this;
  }

  bool aexit(std::exception_ptr) {
    print("session closed");
    return false;
  }

  Response get(std::string url) { return Response(url); }
};

Coro<std::string> fetch_url(Session& session, std::string url) {
  co_return co_await asyncio::with(session.get(url), [](Response& response) -> Coro<std::string> {
    co_return co_await response.text();
  });
}

Coro<> main_() {
  std::vector<std::string> urls{"page1", "page2", "page3"};
  std::vector<std::string> results;
  co_await asyncio::with(Session(), [&](Session& session) -> Coro<> {
    auto fetch = [&](auto url) { return asyncio::create_task(fetch_url(session, url)); };
    auto tasks = map(fetch, urls);
    results = co_await asyncio::gather(tasks);
  });
  print(f("成功获取 {} 个页面", len(results)));
  print(join("\n", results));
}

int main() { asyncio::run(main_()); }
