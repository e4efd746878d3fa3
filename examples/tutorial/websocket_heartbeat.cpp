// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

// [echo]
Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request, http::WebSocketOptions().heartbeat(30s));
  while (auto message = co_await ws.next()) {
    if (message->data == "bye") break;
    co_await ws.send_str("you said " + message->data);
  }
  co_await ws.close();
  co_return web::Response::sent();
}
// [/echo]

// [heartbeat]
Coro<> heartbeat(http::WebSocket ws) {
  while (true) {
    co_await sleep(20s);
    std::cout << "still here\n";
    co_await ws.send_str("heartbeat");
  }
}

Coro<> conversation() {
  co_await with(http::ClientSession(), [&](http::ClientSession& session) -> Coro<> {
    http::WebSocket ws = co_await session.ws_connect("ws://localhost:3000/echo");
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(heartbeat, ws);
      co_await ws.send_str("hello");
      int answers = 0;
      while (auto message = co_await ws.next()) {
        std::cout << message->data << "\n";
        if (++answers == 3) co_await ws.send_str("bye");
      }
      group.cancel();
    });
    std::cout << "closed, and no heartbeat left\n";
  });
}
// [/heartbeat]

Coro<> program() {
  web::Application app;
  app.get("/echo", echo);
  co_await with_site(std::move(app), [&]() -> Coro<> { co_await conversation(); });
}

int main() { run(program()); }
