// SPDX-License-Identifier: BSL-1.0
// open_connection to a port nobody listens on throws ConnectionRefusedError.
#include "python.hpp"

using namespace py;

/// A port that was free a moment ago. The program has no sockets of its own, so a server lends it.
Coro<std::uint16_t> unused_port() {
  auto nobody = [](asyncio::StreamReader, asyncio::StreamWriter) -> Coro<> { co_return; };
  asyncio::Server server = co_await asyncio::start_server(nobody, "127.0.0.1", 0);
  std::uint16_t port = server.sockets()[0].port();
  server.close();
  co_return port;
}

Coro<> main_() {
  std::uint16_t port = co_await unused_port();
  try {
    co_await asyncio::open_connection("127.0.0.1", port);
  } catch (const asyncio::ConnectionRefusedError&) {
    print("ConnectionRefusedError");
  }
}

int main() { asyncio::run(main_()); }
