// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/web/runner.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [client]
Coro<> get(std::string url) {
  http::HttpLimits limits;
  limits.body(1 << 20);
  http::SessionOptions options;
  options.limits(limits).timeout(http::ClientTimeout().total(30s));
  http::ClientSession session(options);

  auto outcome = co_await capture(session.get(url));
  if (!outcome) {
    std::cout << describe_exception(outcome.exception()) << "\n";
    co_return;
  }
  http::ClientResponse response = outcome.value();
  std::cout << response.status().code() << " " << response.reason() << "\n";
  for (auto [name, value] : response.headers())
    if (name != "Date" && name != "Server") std::cout << name << ": " << value << "\n";
  std::cout << co_await response.text() << "\n";
}
// [/client]

// [server]
Coro<web::Response> target(web::Request& request) {
  co_return web::Response("The resource is " + std::string(request.path()));
}

Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
  co_return web::Response::sent();
}

Coro<> serve() {
  web::Application app;
  app.get("/ws", echo).get("/{path...}", target);
  web::RunnerOptions options;
  options.head_timeout(30s).client_max_size(10'000);
  web::AppRunner runner(std::move(app), options);
  co_await runner.setup();
  web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();
  auto outcome = co_await capture(Event().wait());
  co_await runner.cleanup();
  outcome.value();
}
// [/server]

// [websocket]
Coro<> talk(http::ClientSession session) {
  http::WebSocket ws = co_await session.ws_connect("ws://localhost:3000/ws");
  co_await ws.send_str("Hello, world!");
  auto message = co_await ws.next();
  std::cout << message->data << "\n";
  co_await ws.close();
}
// [/websocket]

Coro<> program() {
  auto server = create_task(serve);
  co_await sleep(10ms);  // it listens now
  co_await get("http://localhost:3000/index.html");
  co_await get("http://localhost:1/");
  co_await talk(http::ClientSession());
  server.cancel();
  co_await wait(server);
}

int main() { run(program()); }
