// SPDX-License-Identifier: BSL-1.0
/// The connections of a client: how many there may be, and those that wait for their next use.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/future.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/streams.hpp"
#include "http/message_input.hpp"
#include "http/response_parser.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace asyncio::http::detail {

class Connector;

/// Connections with the same key are as good as each other.
struct ConnectionKey {
  bool secure = false;
  std::string host;
  std::uint16_t port = 0;

  auto operator<=>(const ConnectionKey&) const = default;
};

/// The right to have one connection more.
class Slot {
 public:
  Slot() = default;
  Slot(std::shared_ptr<Connector> connector, ConnectionKey key) noexcept
      : connector_(std::move(connector)), key_(std::move(key)) {}
  Slot(Slot&&) noexcept = default;
  Slot& operator=(Slot&& other) noexcept {
    if (this == &other) return *this;
    reset();
    connector_ = std::move(other.connector_);
    key_ = std::move(other.key_);
    return *this;
  }
  ~Slot() { reset(); }

  void reset() noexcept;

 private:
  std::shared_ptr<Connector> connector_;
  ConnectionKey key_;
};

/// A connection to a server. Closes when it goes.
class ClientConnection {
 public:
  ClientConnection(ConnectionKey to, Streams streams, const HttpLimits& limits)
      : key(std::move(to)),
        writer(std::move(streams.second)),
        parser(limits),
        input(std::move(streams.first), parser) {}
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection() { writer.abort(); }

  const ConnectionKey key;
  StreamWriter writer;
  ResponseParser parser;
  MessageInput input;
  Slot slot;  // while it is in use
  bool reused = false;
  TimePoint idle_since{};
};

/// Who asks first gets a connection first. A connection is in the pool, or it is somebody's, who
/// has a slot; the limits are on slots.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(EventLoop loop, const SessionOptions& options)
      : loop_(std::move(loop)), options_(options) {}

  /// A connection from the pool, unless a new one is wanted, or a new one.
  Coro<std::unique_ptr<ClientConnection>> acquire(ConnectionKey key, ClientTimeout timeout,
                                                  bool fresh);
  /// Takes back a connection that has nothing outstanding.
  void keep(std::unique_ptr<ClientConnection> connection);
  void close();
  bool closed() const noexcept { return closed_; }
  /// How many are waiting for their next use.
  std::size_t idle() const noexcept { return pool_.size(); }

 private:
  friend class Slot;
  struct Waiter {
    ConnectionKey key;
    Future<void> granted;
  };

  bool has_room(const ConnectionKey& key) const noexcept;
  void take(const ConnectionKey& key) { ++total_, ++per_key_[key]; }
  void give_back(const ConnectionKey& key) noexcept;
  void grant();
  Coro<Slot> slot_for(ConnectionKey key);
  std::unique_ptr<ClientConnection> from_pool(const ConnectionKey& key);
  Coro<std::unique_ptr<ClientConnection>> connect(ConnectionKey key, OptionalDelay limit);
  void drop_expired();

  EventLoop loop_;
  SessionOptions options_;
  std::optional<TlsContext> default_context_;
  std::size_t total_ = 0;
  std::map<ConnectionKey, std::size_t> per_key_;
  std::list<Waiter> waiters_;
  std::list<std::unique_ptr<ClientConnection>> pool_;  // the last used at the end
  std::optional<TimerHandle> cleaning_;
  bool closed_ = false;
};

}  // namespace asyncio::http::detail
