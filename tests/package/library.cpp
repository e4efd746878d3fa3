// SPDX-License-Identifier: BSL-1.0
#include "library.hpp"

#include <asyncio/asyncio.hpp>
#include <asyncio/http.hpp>

#include <utility>

using namespace asyncio;

namespace {

Coro<> echo(StreamReader reader, StreamWriter writer) {
  std::string line = co_await reader.readline();
  co_await writer.send(line);
  writer.close();
}

Coro<std::string> ask(std::string line) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  co_await writer.send(line);
  std::string answer = co_await reader.readline();
  writer.close();
  server.close();
  co_await server.wait_closed();
  co_return answer;
}

}  // namespace

std::string echoed(std::string line) {
  http::Headers headers{{"Line", line.substr(0, line.find('\n'))}};
  return run(ask(std::string(headers.get("line", "none")) + "\n"));
}
