// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [session]
// A stand-in for an HTTP client: it answers after a moment, and says when it is closed.
class Response {
 public:
  explicit Response(std::string url) : url_(std::move(url)) {}

  Coro<> aenter() { co_await sleep(10ms); }
  bool aexit(std::exception_ptr) {
    std::cout << "closed " << url_ << "\n";
    return false;
  }
  Coro<std::string> text() {
    co_await sleep(10ms);
    co_return "page of " + url_;
  }

 private:
  std::string url_;
};

class Session {
 public:
  Session& aenter() {
    std::cout << "session open\n";
    return *this;
  }
  bool aexit(std::exception_ptr) {
    std::cout << "session closed\n";
    return false;
  }
  Response get(std::string url) { return Response(std::move(url)); }
};
// [/session]

// [crawl]
Coro<std::string> fetch_url(Session& session, std::string url) {
  co_return co_await with(session.get(url), [&](Response& response) -> Coro<std::string> {
    co_return co_await response.text();
  });
}

Coro<> program() {
  auto pages = co_await with(Session(), [&](Session& session) -> Coro<std::vector<std::string>> {
    std::vector<Coro<std::string>> fetches;
    for (const char* url : {"page1", "page2", "page3"}) fetches.push_back(fetch_url(session, url));
    co_return co_await gather(std::move(fetches));
  });
  std::cout << "got " << pages.size() << " pages\n";
  for (const auto& page : pages) std::cout << page << "\n";
}
// [/crawl]

int main() { run(program()); }
