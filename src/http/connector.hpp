// SPDX-License-Identifier: BSL-1.0
/// The connections of a client: how many there may be, and those that wait for their next use.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/future.hpp"
#include "asyncio/http/client_options.hpp"
#include "asyncio/streams.hpp"
#include "http/connection_key.hpp"
#include "http/message_input.hpp"
#include "http/request_traces.hpp"
#include "http/response_parser.hpp"

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <utility>

namespace asyncio::http::detail {

class ClientChannel;
class Connector;

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

/// What a connection is wanted for.
class ConnectionWish {
 public:
  ConnectionWish() {}

  ConnectionKey key;
  std::optional<TlsContext> ssl;  // the key's
  ClientTimeout timeout;
  std::optional<TimePoint> deadline;
  bool fresh = false;  // none of the pool
  Traces traces;
};

/// Who asks first gets a connection first. A connection is in the pool, or it is somebody's, who
/// has a slot; the limits are on slots. Those of the pool count for the limit in all when a new one
/// is made: the one that was not used for the longest time makes room.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(EventLoop loop, const SessionOptions& options)
      : loop_(std::move(loop)), options_(options) {}

  /// A connection from the pool, unless a new one is wanted, or a new one.
  /// Throws: ServerTimeoutError; ClientConnectorError; RuntimeError if the session is closed.
  Coro<std::shared_ptr<ClientConnection>> acquire(ConnectionWish wish);
  /// The same for one exchange.
  Coro<std::shared_ptr<ClientChannel>> open(ConnectionWish wish);
  /// Takes back a connection that has nothing outstanding.
  void keep(std::shared_ptr<ClientConnection> connection);
  void close();
  bool closed() const noexcept { return closed_; }
  const HttpLimits& limits() const noexcept { return options_.get_limits(); }
  /// How many are waiting for their next use, and how many are in use.
  std::size_t idle() const noexcept { return pool_.size(); }
  std::size_t in_use() const noexcept { return total_; }

 private:
  friend class Slot;
  struct Waiter {
    ConnectionKey key;
    Future<void> granted;
  };

  bool has_room(const ConnectionKey& key) const noexcept;
  bool is_awaited(const ConnectionKey& key) const noexcept;
  void take(const ConnectionKey& key) noexcept;
  void give_back(const ConnectionKey& key) noexcept;
  void forget(const ConnectionKey& key) noexcept;
  void grant();
  Coro<Slot> slot_for(const ConnectionWish& wish);
  Coro<std::shared_ptr<ClientConnection>> find_or_make(const ConnectionWish& wish);
  std::shared_ptr<ClientConnection> from_pool(const ConnectionKey& key);
  void make_room();
  Coro<std::shared_ptr<ClientConnection>> connect(const ConnectionWish& wish);
  Coro<Streams> dial(const ConnectionWish& wish);
  TlsContext context_of(const ConnectionWish& wish);
  void drop_expired();
  void drop_later();

  EventLoop loop_;
  SessionOptions options_;
  std::optional<TlsContext> default_context_;
  std::size_t total_ = 0;
  std::size_t unclaimed_ = 0;                     // of these, slots whose waiter has not run yet
  std::map<ConnectionKey, std::size_t> per_key_;  // also 0, while somebody waits
  std::list<Waiter> waiters_;
  std::list<std::shared_ptr<ClientConnection>> pool_;  // the last used at the end
  std::optional<TimerHandle> cleaning_;
  bool closed_ = false;
};

}  // namespace asyncio::http::detail
