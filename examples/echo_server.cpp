// SPDX-License-Identifier: BSL-1.0
#include <asyncio/runner.hpp>
#include <asyncio/streams.hpp>

using namespace asyncio;

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
}

Coro<> serve() {
  Server server = co_await start_server(echo, "127.0.0.1", 8888);
  co_await server.serve_forever();
}

int main() { return run_main(serve()); }
