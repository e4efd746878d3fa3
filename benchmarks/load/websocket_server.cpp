// SPDX-License-Identifier: BSL-1.0
// WebSockets that are idle, whose memory tools/load watches from outside (L4).
//
// usage: load_websocket_server
//
// Prints "port N", then answers each line on its standard input with one of its own: what is live.
// Ends with its input.
#include <asyncio/http/websocket.hpp>
#include <asyncio/pipes.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/web/runner.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <cstdio>
#include <malloc.h>

namespace {

using namespace asyncio;

long connections = 0;
long served = 0;

Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  ++connections;
  while (auto message = co_await ws.next()) {
    co_await ws.send_str(message->data);
    ++served;
  }
  --connections;
  co_return web::Response::sent();
}

void print_figures() {
  struct mallinfo2 heap = ::mallinfo2();
  std::printf("{\"connections\": %ld, \"served\": %ld, \"live\": %zu}\n", connections, served,
              heap.uordblks + heap.hblkhd);
  std::fflush(stdout);
}

Coro<> serve() {
  web::Application app;
  app.get("/ws", echo);
  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "127.0.0.1", 0);
  co_await site.start();
  std::printf("port %u\n", static_cast<unsigned>(runner.addresses().at(0).port()));
  std::fflush(stdout);
  StreamReader commands = co_await connect_read_pipe(0);
  while (auto line = co_await commands.next()) print_figures();
  co_await runner.cleanup();
}

}  // namespace

int main() { return run_main(serve()); }
