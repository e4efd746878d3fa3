// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [requests]
Coro<web::Response> handle_request(web::Request&, int id) {
  co_await sleep(100ms);  // a data base, another service
  co_return web::Response("response " + std::to_string(id));
}

Coro<std::string> ask(http::ClientSession session, int id) {
  auto response = co_await session.get("/request/" + std::to_string(id));
  std::string text = co_await response.text();
  co_return text;
}

Coro<> five_requests() {
  http::ClientSession session(http::SessionOptions().base_url("http://localhost:3000"));
  auto begin = get_running_loop().time();
  std::vector<Coro<std::string>> requests;
  for (int id = 1; id <= 5; ++id) requests.push_back(ask(session, id));
  auto responses = co_await gather(std::move(requests));
  auto elapsed = get_running_loop().time() - begin;
  std::cout << responses.size() << " responses in " << elapsed / 100ms
            << " * 100 ms, the last: " << responses.back() << "\n";
  session.close();
}
// [/requests]

Coro<> program() {
  web::Application app;
  app.get("/request/{id:int}", handle_request);
  co_await with_site(std::move(app), [&]() -> Coro<> { co_await five_requests(); });
}

int main() { run(program()); }
