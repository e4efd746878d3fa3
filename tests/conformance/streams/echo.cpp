// SPDX-License-Identifier: BSL-1.0
// A TCP echo over start_server/open_connection: lines, EOF, and orderly close on both sides.
#include "python.hpp"

using namespace py;

Coro<> handle(asyncio::StreamReader reader, asyncio::StreamWriter writer, asyncio::Event& handled) {
  for (;;) {
    std::string line = co_await reader.readline();
    if (line.empty()) break;
    writer.write(upper(line));
    co_await writer.drain();
  }
  print("server: EOF");
  writer.close();
  co_await writer.wait_closed();
  handled.set();
}

Coro<> main_() {
  asyncio::Event handled;
  auto handler = [&](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
    return handle(reader, writer, handled);
  };
  asyncio::Server server = co_await asyncio::start_server(handler, "127.0.0.1", 0);
  std::uint16_t port = server.sockets()[0].port();
  auto [reader, writer] = co_await asyncio::open_connection("127.0.0.1", port);
  for (const auto& word : {"one"s, "two"s}) {
    writer.write(word + "\n");
    co_await writer.drain();
    std::string line = co_await reader.readline();
    print("client:", strip(line));
  }
  writer.write_eof();
  co_await handled.wait();
  std::string rest = co_await reader.read();
  print("client at EOF:", rest.size(), reader.at_eof());
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
  print("closed; serving:", server.is_serving());
}

int main() { asyncio::run(main_()); }
