// SPDX-License-Identifier: BSL-1.0
#include "http/connector.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/timeout.hpp"
#include "http/client_channel.hpp"
#include "http/shared_connection.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace asyncio::http::detail {

namespace {

void tell(const Traces& traces, TraceEvent event) {
  if (traces) traces->tell(event);
}

}  // namespace

void Slot::reset() noexcept {
  if (connector_) std::exchange(connector_, nullptr)->give_back(count_);
}

bool Connector::is_full() const noexcept {
  return options_.get_limit() > 0 && total_ >= options_.get_limit();
}

bool Connector::has_room(SlotCounts::const_iterator count) const noexcept {
  if (is_full()) return false;
  return options_.get_limit_per_host() == 0 || count->second < options_.get_limit_per_host();
}

void Connector::take(SlotCounts::iterator count) noexcept {
  ++total_;
  ++count->second;
}

void Connector::give_back(SlotCounts::iterator count) noexcept {
  --total_;
  --count->second;
  grant();
  forget(count);
}

/// Stops counting what nobody has and nobody waits for.
void Connector::forget(SlotCounts::iterator count) noexcept {
  if (count->second == 0 && !is_awaited(count)) per_key_.erase(count);
}

void Connector::forget(const ConnectionKey& key) noexcept {
  auto count = per_key_.find(key);
  if (count != per_key_.end()) forget(count);
}

bool Connector::is_awaited(SlotCounts::const_iterator count) const noexcept {
  return std::ranges::any_of(waiters_, [&](const Waiter& waiter) { return waiter.count == count; });
}

/// Gives what is free to those who wait, in their order; who cannot have one lets others pass.
void Connector::grant() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    auto next = std::next(waiter);
    if (!waiter->granted.done() && has_room(waiter->count)) {
      take(waiter->count);
      ++unclaimed_;
      waiter->granted.set_result(true);
      waiters_.erase(waiter);
    }
    waiter = next;
  }
}

/// None if one would have to wait.
Slot Connector::free_slot(const ConnectionKey& key) {
  if (is_full()) return {};
  auto count = per_key_.try_emplace(key, 0).first;
  if (is_awaited(count) || !has_room(count)) return {};
  take(count);
  return {shared_from_this(), count};
}

Coro<Slot> Connector::slot_for(const ConnectionWish& wish) {
  Slot slot = free_slot(wish.key);
  if (slot) co_return slot;
  tell(wish.traces, TraceEvent::connection_queued_start);
  Future<bool> granted(loop_);
  auto count = per_key_.try_emplace(wish.key, 0).first;  // so that who grants it cannot fail
  waiters_.push_back(Waiter{count, granted, !wish.is_alone});
  auto outcome = co_await capture(granted);
  const bool is_granted = granted.done() && !granted.cancelled() && !granted.exception();
  if (is_granted && !granted.result()) {
    forget(wish.key);
    outcome.value();
    tell(wish.traces, TraceEvent::connection_queued_end);
    co_return slot;
  }
  if (is_granted) {
    --unclaimed_;
    slot = Slot(shared_from_this(), count);  // goes back if we were cancelled meanwhile
    outcome.value();
    tell(wish.traces, TraceEvent::connection_queued_end);
    co_return slot;
  }
  std::erase_if(waiters_, [&](const Waiter& waiter) { return waiter.granted == granted; });
  grant();  // to who came behind, while we were cancelled and had not left
  forget(wish.key);
  outcome.value();
  throw RuntimeError("Session is closed");
}

/// Null if there is one to share instead.
Coro<std::shared_ptr<PooledConnection>> Connector::find_or_make(const ConnectionWish& wish) {
  if (closed_) throw RuntimeError("Session is closed");
  Slot slot = co_await slot_for(wish);
  if (closed_) throw RuntimeError("Session is closed");
  std::shared_ptr<PooledConnection> connection;
  if (!slot) co_return connection;
  if (!wish.fresh) connection = from_pool(wish.key, wish.is_alone);
  if (connection) tell(wish.traces, TraceEvent::connection_reuseconn);
  if (!connection) connection = co_await connect(wish);
  if (closed_) throw RuntimeError("Session is closed");
  connection->slot = std::move(slot);
  co_return connection;
}

template <class T>
Coro<T> Connector::in_time(const ConnectionWish& wish, Coro<T> work) {
  OptionalDelay limit = wish.timeout.get_connect();
  if (wish.deadline) {
    auto left = std::max(*wish.deadline - loop_.time(), std::chrono::nanoseconds(0));
    if (!limit || left < limit->duration()) limit = Delay(left);
  }
  auto found = co_await capture(wait_for(std::move(work), limit));
  if (found.template holds<TimeoutError>() && !found.template holds<ServerTimeoutError>())
    throw ServerTimeoutError("connection to " + text_of(wish.key));
  co_return std::move(found).value();
}

Coro<std::shared_ptr<ClientConnection>> Connector::acquire(ConnectionWish wish) {
  wish.is_alone = true;
  auto connection = co_await in_time(wish, find_or_make(wish));
  co_return std::static_pointer_cast<ClientConnection>(connection);
}

Coro<std::shared_ptr<ClientChannel>> Connector::open(ConnectionWish wish) {
  auto channel = co_await in_time(wish, open_channel(wish));
  co_return channel;
}

std::shared_ptr<PooledConnection> Connector::from_pool(const ConnectionKey& key, bool is_alone) {
  drop_expired();
  for (auto at = pool_.end(); at != pool_.begin();) {
    --at;
    if ((*at)->key != key || (is_alone && (*at)->is_shared())) continue;
    std::shared_ptr<PooledConnection> connection = std::move(*at);
    at = pool_.erase(at);
    if (connection->is_stale()) continue;
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

/// Before there is one connection more. Who has a slot and has not run yet may find one in the
/// pool.
void Connector::make_room(const ConnectionKey& key) {
  const auto is_of_key = [&key](const auto& connection) { return connection->key == key; };
  if (options_.get_limit_per_host() > 0) {
    auto idle = static_cast<std::size_t>(std::ranges::count_if(pool_, is_of_key));
    for (; idle > 0 && per_key_.at(key) + idle > options_.get_limit_per_host(); --idle)
      pool_.erase(std::ranges::find_if(pool_, is_of_key));
  }
  if (options_.get_limit() == 0) return;
  while (!pool_.empty() && total_ - unclaimed_ + pool_.size() > options_.get_limit())
    pool_.pop_front();
}

void Connector::keep(std::shared_ptr<PooledConnection> connection) {
  connection->slot.reset();
  if (closed_) return;
  connection->idle_since = loop_.time();
  pool_.push_back(std::move(connection));
  if (!cleaning_) drop_later();
}

/// Comes back for the one that will have waited for too long first.
void Connector::drop_later() {
  if (pool_.empty()) return;
  auto waited = loop_.time() - pool_.front()->idle_since;
  auto left =
      std::max(options_.get_keepalive_timeout().duration() - waited, std::chrono::nanoseconds(0));
  cleaning_ = loop_.call_later(Delay(left), [self = weak_from_this()] {
    if (auto connector = self.lock()) {
      connector->cleaning_.reset();
      connector->drop_expired();
      connector->drop_later();
    }
  });
}

void Connector::drop_expired() {
  TimePoint oldest = loop_.time() - options_.get_keepalive_timeout().duration();
  while (!pool_.empty() && pool_.front()->idle_since <= oldest) pool_.pop_front();
}

void Connector::close() {
  closed_ = true;
  pool_.clear();
  if (cleaning_) cleaning_->cancel();
  for (Waiter& waiter : waiters_)
    if (!waiter.granted.done()) waiter.granted.set_exception(RuntimeError("Session is closed"));
  waiters_.clear();
  for (auto& [key, connection] : std::exchange(shared_, {})) connection->retire();
  for (auto& [key, decided] : dialing_) decided->set();
}

}  // namespace asyncio::http::detail
