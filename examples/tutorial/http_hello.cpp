// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/web/runner.hpp>

#include <iostream>

using namespace asyncio;

// [server]
Coro<web::Response> hello(web::Request&) { co_return web::Response("Hello"); }

Coro<> serve() {
  web::Application app;
  app.add_get("/", hello);

  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();

  auto outcome = co_await capture(Event().wait());  // until it is cancelled
  co_await runner.cleanup();
  outcome.value();
}
// [/server]

// [client]
Coro<> program() {
  auto server = create_task(serve);
  co_await sleep(std::chrono::milliseconds(10));  // it listens now

  http::ClientResponse response = co_await http::get("http://localhost:3000/");
  std::cout << response.status().code() << " " << response.content_type() << "\n";
  std::cout << co_await response.text() << "\n";

  server.cancel();
  co_await wait(server);
}
// [/client]

int main() { run(program()); }
