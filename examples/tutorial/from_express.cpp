// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/web/runner.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [app]
Coro<> listen() {
  web::Application app;
  app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("Hello"); });
  app.get("/user/{id:int}", [](web::Request&, int id) -> Coro<web::Response> {
    co_return web::Response("user " + std::to_string(id));
  });
  app.add_middleware([](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
    std::cout << request.method().str() << " " << request.path() << "\n";
    co_return co_await next(request);
  });

  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();
  auto outcome = co_await capture(Event().wait());
  co_await runner.cleanup();
  outcome.value();
}
// [/app]

// [promises]
Coro<std::string> fetch_text(std::string url) {
  http::ClientResponse response = co_await http::get(url);
  co_return co_await response.text();
}

Coro<> promises() {
  auto [hello, user] = co_await gather(fetch_text("http://localhost:3000/"),
                                       fetch_text("http://localhost:3000/user/7"));
  std::cout << hello << ", " << user << "\n";

  get_running_loop().call_later(1s, [] { std::cout << "one second later\n"; });
  co_await sleep(2s);
}
// [/promises]

Coro<> program() {
  auto server = create_task(listen);
  co_await sleep(10ms);
  co_await promises();
  server.cancel();
  co_await wait(server);
}

int main() { run(program()); }
