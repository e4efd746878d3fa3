// SPDX-License-Identifier: BSL-1.0
/// Two connected streams, and what tests do with them.
#pragma once

#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace test {

using namespace std::chrono_literals;
using asyncio::ConnectOptions;
using asyncio::Coro;
using asyncio::Server;
using asyncio::StreamReader;
using asyncio::Streams;
using asyncio::StreamWriter;

/// Both ends of a connection, and the server that made it.
class Connected {
 public:
  Connected(Server s, Streams c, Streams a)
      : server(std::move(s)), client(std::move(c)), accepted(std::move(a)) {}

  StreamReader& reader() { return client.first; }
  StreamWriter& writer() { return client.second; }
  StreamReader& peer_reader() { return accepted.first; }
  StreamWriter& peer_writer() { return accepted.second; }

  Coro<> close() {
    writer().close();
    peer_writer().close();
    server.close();
    co_await server.wait_closed();
  }

  Server server;
  Streams client;
  Streams accepted;
};

inline Coro<Connected> connected(ConnectOptions options = {}) {
  auto accepted = asyncio::get_running_loop().create_future<Streams>();
  auto handler = [accepted](StreamReader reader, StreamWriter writer) mutable {
    accepted.set_result(Streams(std::move(reader), std::move(writer)));
  };
  Server server = co_await asyncio::start_server(handler, "127.0.0.1", 0);
  std::uint16_t port = server.sockets().at(0).port();
  Streams client = co_await asyncio::open_connection("127.0.0.1", port, options);
  Streams other = co_await accepted;
  Connected both(std::move(server), std::move(client), std::move(other));
  co_return both;
}

/// One that nobody has by now.
inline Coro<std::uint16_t> free_port(asyncio::ServerOptions options = {}) {
  Server scout =
      co_await asyncio::start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0, options);
  std::uint16_t port = scout.sockets().at(0).port();
  scout.close();
  co_await scout.wait_closed();
  co_return port;
}

/// The description of what awaiting it throws; "nothing", "cancelled".
template <class A>
Coro<std::string> error_of(A awaitable) {
  std::string text = "nothing";
  try {
    co_await std::move(awaitable);
  } catch (const std::exception&) {
    text = asyncio::describe_exception(std::current_exception());
  } catch (const asyncio::CancelledError&) {
    text = "cancelled";
  }
  co_return text;
}

inline Coro<> drain(StreamWriter writer) { co_await writer.drain(); }
inline Coro<> wait_closed(StreamWriter writer) { co_await writer.wait_closed(); }
inline Coro<std::string> read(StreamReader reader, std::ptrdiff_t count) {
  co_return co_await reader.read(count);
}
inline Coro<std::string> read_exactly(StreamReader reader, std::size_t count) {
  co_return co_await reader.readexactly(count);
}

/// Lets the peer's bytes and ends arrive, and everything that follows from them.
inline Coro<> settle() {
  for (int i = 0; i < 50; ++i) co_await asyncio::sleep(0s);
  co_await asyncio::sleep(1ms);
}

/// Different bytes at every place, so that a loss or an exchange is seen.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  unsigned state = seed * 2654435761u + 1;
  for (char& byte : bytes) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace test
