// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;

// [fetch]
Coro<std::string> fetch_url(http::ClientSession session, std::string url) {
  http::ClientResponse response = co_await session.get(url);
  std::string text = co_await response.text();
  co_return text;
}

Coro<> crawl(std::vector<std::string> urls) {
  co_await with(http::ClientSession(), [&](http::ClientSession& session) -> Coro<> {
    std::vector<Coro<std::string>> fetches;
    for (const auto& url : urls) fetches.push_back(fetch_url(session, url));
    auto pages = co_await gather(std::move(fetches));
    std::cout << "成功获取 " << pages.size() << " 个页面\n";
    for (const auto& page : pages) std::cout << page << "\n";
  });
}
// [/fetch]

Coro<> program() {
  web::Application app;
  app.get("/page/{n:int}", [](web::Request&, int n) -> Coro<web::Response> {
    co_await sleep(std::chrono::milliseconds(10));
    co_return web::Response("page " + std::to_string(n));
  });
  co_await with_site(std::move(app), [&]() -> Coro<> {
    std::vector<std::string> urls;
    for (int n = 1; n <= 3; ++n) urls.push_back("http://localhost:3000/page/" + std::to_string(n));
    co_await crawl(urls);
  });
}

int main() { run(program()); }
