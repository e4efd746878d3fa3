// SPDX-License-Identifier: BSL-1.0
// How requests come to share a connection.
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "http/connector.hpp"
#include "http/http1_channel.hpp"
#include "http/http2_presence.hpp"
#include "http/recycled.hpp"
#include "http/shared_connection.hpp"

#include <utility>

namespace asyncio::http::detail {

namespace {

using Dialing = std::map<ConnectionKey, std::shared_ptr<asyncio::Event>>;

/// How many servers are remembered to have no HTTP/2; it costs one that is forgotten that those who
/// ask at once wait for the first of them.
constexpr std::size_t kMostRemembered = 1024;
/// A server that ends so many new connections before they have taken a request will go on so.
constexpr int kMostConnections = 3;

/// While it lives, others wait to see whether there will be a connection to share.
class FirstOne {
 public:
  FirstOne(Dialing& dialing, ConnectionKey key) : dialing_(dialing), key_(std::move(key)) {
    dialing_.emplace(key_, std::make_shared<asyncio::Event>());
  }
  FirstOne(const FirstOne&) = delete;
  FirstOne& operator=(const FirstOne&) = delete;
  ~FirstOne() {
    auto found = dialing_.find(key_);
    found->second->set();
    dialing_.erase(found);
  }

 private:
  Dialing& dialing_;
  ConnectionKey key_;
};

}  // namespace

bool Connector::may_share(const ConnectionWish& wish) const noexcept {
  const ConnectionKey& key = wish.key;
  if (wish.is_alone || options_.get_http2() == Http2::Off || !has_http2()) return false;
  if (key.secure) return !http1_.contains(key);
  return options_.get_http2() == Http2::PriorKnowledge && !key.asks_proxy();
}

std::shared_ptr<SharedConnection> Connector::shared_for(const ConnectionKey& key) {
  auto found = shared_.find(key);
  if (found == shared_.end()) return nullptr;
  if (!found->second->is_stale()) return found->second;
  shared_.erase(found);
  return nullptr;
}

void Connector::share(std::shared_ptr<SharedConnection> connection) {
  const ConnectionKey& key = connection->key;
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const bool joins = waiter->shares && waiter->count->first == key && !waiter->granted.done();
    if (joins) waiter->granted.set_result(false);
    waiter = joins ? waiters_.erase(waiter) : std::next(waiter);
  }
  shared_.insert_or_assign(key, std::move(connection));
}

void Connector::retire(const SharedConnection& connection) noexcept {
  auto found = shared_.find(connection.key);
  if (found != shared_.end() && found->second.get() == &connection) shared_.erase(found);
}

void Connector::note_http1(const ConnectionKey& key) {
  if (!key.secure) return;
  if (http1_.size() >= kMostRemembered) http1_.clear();
  http1_.insert(key);
}

std::shared_ptr<ClientChannel> Connector::reuse(const ConnectionWish& wish) {
  const bool may_wait = closed_ || wish.fresh || pool_.empty() || may_share(wish);
  if (may_wait || (!shared_.empty() && shared_.contains(wish.key))) return nullptr;
  if (wish.deadline && loop_.time() >= *wish.deadline) return nullptr;
  Slot slot = free_slot(wish.key);
  if (!slot) return nullptr;
  auto connection = from_pool(wish.key, true);
  if (!connection) return nullptr;
  if (wish.traces) wish.traces->tell(TraceEvent::connection_reuseconn);
  if (closed_) return nullptr;
  connection->slot = std::move(slot);
  return make_recycled<Http1Channel>(shared_from_this(),
                                     std::static_pointer_cast<ClientConnection>(connection));
}

Coro<std::shared_ptr<ClientChannel>> Connector::open_channel(const ConnectionWish& wish) {
  bool has_waited = false;
  for (int made = 0;;) {
    if (closed_) throw RuntimeError("Session is closed");
    if (auto shared = wish.is_alone ? nullptr : shared_for(wish.key)) {
      auto channel = co_await shared->open();
      if (!channel) continue;
      const bool joins = made == 0;
      if (joins && wish.traces) wish.traces->tell(TraceEvent::connection_reuseconn);
      if (closed_) continue;
      co_return channel;
    }
    if (made == kMostConnections)
      throw ServerDisconnectedError("the server " + wish.key.host +
                                    " ends each connection before it takes a request");
    std::optional<FirstOne> first;
    if (may_share(wish)) {
      auto other = dialing_.find(wish.key);
      if (other != dialing_.end() && !std::exchange(has_waited, true)) {
        auto decided = other->second;
        co_await decided->wait();
        continue;
      }
      if (other == dialing_.end()) first.emplace(dialing_, wish.key);
    }
    auto connection = co_await find_or_make(wish);
    if (!connection) continue;
    if (!connection->is_shared()) {
      note_http1(wish.key);
      co_return make_recycled<Http1Channel>(shared_from_this(),
                                            std::static_pointer_cast<ClientConnection>(connection));
    }
    ++made;
    share(std::static_pointer_cast<SharedConnection>(connection));
  }
}

}  // namespace asyncio::http::detail
