// SPDX-License-Identifier: BSL-1.0
// port_forwarder LOCAL_PORT HOST PORT: connections to LOCAL_PORT go on to HOST, in both directions.
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <string>

using namespace asyncio;

/// Until the sender has no more; the receiver is told so, and may go on sending.
Coro<> pump(StreamReader from, StreamWriter to) {
  while (true) {
    std::string data = co_await from.read(64 * 1024);
    if (data.empty()) break;
    co_await to.send(std::move(data));
  }
  to.write_eof();
}

/// Where the connections go.
struct Target {
  std::string host;
  std::uint16_t port;

  Coro<> forward(StreamReader reader, StreamWriter writer) const {
    auto connected = [&]() -> Coro<> {
      auto [their_reader, their_writer] = co_await open_connection(host, port);
      TaskGroup directions;
      // What ends one direction with an error ends the other.
      co_await with(directions, [&](TaskGroup& group) -> Coro<> {
        group.create_task(pump, reader, their_writer);
        group.create_task(pump, their_reader, writer);
        co_return;
      });
      their_writer.close();
    };
    auto report = [&](const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", writer.peername().str().c_str(), error.what());
      writer.abort();
    };
    co_await try_(connected).except<OSError>(report).except<ExceptionGroup>(report);
    writer.close();
  }
};

Coro<> serve(std::uint16_t local_port, const Target& target) {
  auto forward = [&](StreamReader reader, StreamWriter writer) {
    return target.forward(std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(forward, "127.0.0.1", local_port);
  std::printf("%s goes to %s:%d\n", server.sockets().at(0).str().c_str(), target.host.c_str(),
              target.port);
  std::fflush(stdout);
  co_await Event().wait();
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: port_forwarder LOCAL_PORT HOST PORT\n", stderr);
    return 2;
  }
  auto port = [](const char* text) { return static_cast<std::uint16_t>(std::stoi(text)); };
  Target target{argv[2], port(argv[3])};  // stays until the last of the handlers has ended
  return run_main(serve(port(argv[1]), target));
}
