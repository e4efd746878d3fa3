// SPDX-License-Identifier: BSL-1.0
/// The connections of a client: how many there may be, and those that wait for their next use.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/future.hpp"
#include "asyncio/http/client_options.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/sync.hpp"
#include "http/deadline.hpp"
#include "http/message_input.hpp"
#include "http/pooled_connection.hpp"
#include "http/request_traces.hpp"
#include "http/response_parser.hpp"

#include <cstddef>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::http::detail {

class ClientChannel;
class SharedConnection;

/// A connection of HTTP/1.
class ClientConnection final : public PooledConnection, private Deadline::Owner {
 public:
  ClientConnection(ConnectionKey to, Streams streams, const HttpLimits& limits)
      : PooledConnection(std::move(to)),
        writer(std::move(streams.second)),
        parser(limits),
        input(std::move(streams.first), parser),
        deadline(get_running_loop(), *this) {}
  ~ClientConnection() override { writer.abort(); }

  bool is_stale() const noexcept override {
    return writer.is_closing() || !input.buffered().empty() || writer.connection()->has_arrived();
  }
  bool is_shared() const noexcept override { return false; }

  StreamWriter writer;
  ResponseParser parser;
  MessageInput input;
  Deadline deadline;  // of the bytes that are waited for

 private:
  void expired() override { input.reader().set_exception(TimeoutError("HTTP response")); }
};

/// What a connection is wanted for.
class ConnectionWish {
 public:
  ConnectionWish() {}

  ConnectionKey key;
  std::optional<TlsContext> ssl;  // the key's
  ClientTimeout timeout;
  std::optional<TimePoint> deadline;
  bool fresh = false;     // none of the pool
  bool is_alone = false;  // HTTP/1 and nothing else
  Traces traces;
};

/// Who asks first gets a connection first. A connection is in the pool, or it is somebody's and has
/// a slot; the limits are on slots. Those of the pool count for the limits when a new one is made:
/// the one that was not used for the longest time makes room.
///
/// A connection of HTTP/2 in use is `shared_` by all who want one like it. While the first one to a
/// server is being made, and it is not known whether that will have HTTP/2, others wait to see.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  Connector(EventLoop loop, const SessionOptions& options)
      : loop_(std::move(loop)), options_(options) {}

  /// A connection of HTTP/1 from the pool, unless a new one is wanted, or a new one.
  /// Throws: ServerTimeoutError; ClientConnectorError; RuntimeError if the session is closed.
  Coro<std::shared_ptr<ClientConnection>> acquire(ConnectionWish wish);
  /// The same for one exchange, over a connection of whatever version.
  Coro<std::shared_ptr<ClientChannel>> open(ConnectionWish wish);
  /// What `open` comes to if there is nothing to wait for and nothing to share: a connection of the
  /// pool, for HTTP/1. Else null.
  std::shared_ptr<ClientChannel> reuse(const ConnectionWish& wish);
  /// Takes back a connection that has nothing outstanding.
  void keep(std::shared_ptr<PooledConnection> connection);
  /// Shares a connection no longer; those who have it go on.
  void retire(const SharedConnection& connection) noexcept;
  void close();
  bool closed() const noexcept { return closed_; }
  const HttpLimits& limits() const noexcept { return options_.get_limits(); }
  /// How many are waiting for their next use, and how many are in use.
  std::size_t idle() const noexcept { return pool_.size(); }
  std::size_t in_use() const noexcept { return total_; }

 private:
  friend class Slot;
  struct Waiter {
    SlotCounts::iterator count;
    Future<bool> granted;  // false: there is one to share
    bool shares;
  };

  bool is_full() const noexcept;
  bool has_room(SlotCounts::const_iterator count) const noexcept;
  bool is_awaited(SlotCounts::const_iterator count) const noexcept;
  void take(SlotCounts::iterator count) noexcept;
  void give_back(SlotCounts::iterator count) noexcept;
  void forget(SlotCounts::iterator count) noexcept;
  void forget(const ConnectionKey& key) noexcept;
  void grant();
  Slot free_slot(const ConnectionKey& key);
  Coro<Slot> slot_for(const ConnectionWish& wish);
  template <class T>
  Coro<T> in_time(const ConnectionWish& wish, Coro<T> work);
  Coro<std::shared_ptr<PooledConnection>> find_or_make(const ConnectionWish& wish);
  Coro<std::shared_ptr<ClientChannel>> open_channel(const ConnectionWish& wish);
  std::shared_ptr<PooledConnection> from_pool(const ConnectionKey& key, bool is_alone);
  bool may_share(const ConnectionWish& wish) const noexcept;
  std::shared_ptr<SharedConnection> shared_for(const ConnectionKey& key);
  void share(std::shared_ptr<SharedConnection> connection);
  void note_http1(const ConnectionKey& key);
  void make_room(const ConnectionKey& key);
  Coro<std::shared_ptr<PooledConnection>> connect(const ConnectionWish& wish);
  std::shared_ptr<PooledConnection> begin(const ConnectionWish& wish, Streams streams);
  Coro<Streams> dial(const ConnectionWish& wish);
  Coro<std::shared_ptr<PooledConnection>> dial_and_begin(const ConnectionWish& wish);
  std::vector<std::string> offered_to(const ConnectionWish& wish) const;
  TlsContext context_of(const ConnectionWish& wish);
  void drop_expired();
  void drop_later();

  EventLoop loop_;
  SessionOptions options_;
  std::optional<TlsContext> default_context_;
  std::size_t total_ = 0;
  std::size_t unclaimed_ = 0;  // of these, slots whose waiter has not run yet
  SlotCounts per_key_;         // also 0, while somebody waits
  std::list<Waiter> waiters_;
  std::deque<std::shared_ptr<PooledConnection>> pool_;  // the last used at the end
  std::map<ConnectionKey, std::shared_ptr<SharedConnection>> shared_;
  std::map<ConnectionKey, std::shared_ptr<asyncio::Event>> dialing_;
  std::set<ConnectionKey> http1_;  // servers that have chosen HTTP/1
  std::optional<TimerHandle> cleaning_;
  bool closed_ = false;
};

}  // namespace asyncio::http::detail
