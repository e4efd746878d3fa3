// SPDX-License-Identifier: BSL-1.0
/// Somebody between two ends of TLS.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/sync.hpp"
#include "connected.hpp"
#include "tls.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace test {

using asyncio::capture;
using asyncio::create_task;
using asyncio::Delay;
using asyncio::Event;
using asyncio::ServerOptions;

/// A client over TLS, a server over TLS, and between them a relay that a test may tell what to do
/// with the bytes from the server.
class Relayed {
 public:
  /// What goes on to the client of a chunk that the server sent; nullopt: the connection is cut.
  using Filter = std::function<std::optional<std::string>(std::string chunk)>;

  Coro<> open() {
    auto handler = [this](StreamReader from_client, StreamWriter to_client) {
      peer_reader = from_client;
      peer_writer = to_client;
      arrived_.set();
    };
    server_ = co_await asyncio::start_server(handler, "127.0.0.1", 0,
                                             ServerOptions().ssl(pki().server()));
    auto relay = [this](StreamReader from_client, StreamWriter to_client) {
      return pass(std::move(from_client), std::move(to_client));
    };
    relay_ = co_await asyncio::start_server(relay, "127.0.0.1", 0);
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    options.ssl_shutdown_timeout(shutdown_timeout);
    auto ends =
        co_await asyncio::open_connection("127.0.0.1", relay_->sockets().at(0).port(), options);
    reader = ends.first;
    writer = ends.second;
    co_await arrived_.wait();
  }

  Coro<> close() {
    writer->abort();
    peer_writer->abort();
    relay_->close();
    relay_->abort_clients();
    server_->close();
    co_await relay_->wait_closed();
    co_await server_->wait_closed();
    co_await settle();
  }

  /// These bytes to the client, and the end right after them.
  void send_and_end(const std::string& bytes) {
    to_client_->write(bytes);
    to_client_->close();
  }

  Filter filter = [](std::string chunk) { return std::optional(std::move(chunk)); };
  Delay shutdown_timeout = 30s;
  std::optional<StreamReader> reader, peer_reader;
  std::optional<StreamWriter> writer, peer_writer;

 private:
  Coro<> pass(StreamReader client_reader, StreamWriter client_writer) {
    auto [server_reader, server_writer] =
        co_await asyncio::open_connection("127.0.0.1", server_->sockets().at(0).port());
    to_client_ = client_writer;
    auto up = create_task(pump(client_reader, server_writer));
    while (true) {
      auto chunk = co_await capture(server_reader.read(65536));
      std::optional<std::string> out;
      if (chunk.has_value() && !chunk.value().empty()) out = filter(chunk.value());
      if (!out) break;
      client_writer.write(*out);
    }
    client_writer.close();
    server_writer.abort();
    up.cancel();
  }

  static Coro<> pump(StreamReader from, StreamWriter to) {
    while (true) {
      auto chunk = co_await capture(from.read(65536));
      if (!chunk.has_value() || chunk.value().empty()) break;
      to.write(chunk.value());
    }
    to.close();
  }

  std::optional<Server> server_, relay_;
  std::optional<StreamWriter> to_client_;
  Event arrived_;
};

}  // namespace test
