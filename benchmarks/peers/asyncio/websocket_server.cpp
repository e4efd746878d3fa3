// SPDX-License-Identifier: BSL-1.0
// M7w: a WebSocket echo. asyncio_peer_websocket PORT
#include <asyncio/asyncio.hpp>
#include <asyncio/web.hpp>

#include <cstdint>
#include <cstdlib>

namespace {

using namespace asyncio;

Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  while (auto message = co_await ws.next()) {
    if (message->type == http::WSMsgType::Text)
      co_await ws.send_str(message->data);
    else
      co_await ws.send_bytes(message->data);
  }
  co_return web::Response::sent();
}

Coro<> serve(std::uint16_t port) {
  web::Application app;
  app.get("/", echo);
  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "127.0.0.1", port);
  co_await site.start();
  co_await Event().wait();
}

}  // namespace

int main(int, char** arguments) {
  return asyncio::run_main(serve(static_cast<std::uint16_t>(std::atoi(arguments[1]))));
}
