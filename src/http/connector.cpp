// SPDX-License-Identifier: BSL-1.0
#include "http/connector.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/timeout.hpp"

#include <algorithm>
#include <exception>
#include <iterator>

namespace asyncio::http::detail {

namespace {

using namespace std::chrono_literals;

std::string text_of(const ConnectionKey& key) {
  bool is_ipv6 = key.host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + key.host + "]" : key.host) + ":" + std::to_string(key.port);
}

/// Whether the server has closed it, or says something that nobody has asked for.
bool is_stale(const ClientConnection& connection) noexcept {
  return connection.writer.is_closing() || !connection.input.buffered().empty() ||
         connection.writer.connection()->has_arrived();
}

}  // namespace

void Slot::reset() noexcept {
  if (connector_) std::exchange(connector_, nullptr)->give_back(key_);
}

bool Connector::has_room(const ConnectionKey& key) const noexcept {
  if (options_.get_limit() > 0 && total_ >= options_.get_limit()) return false;
  if (options_.get_limit_per_host() == 0) return true;
  auto found = per_key_.find(key);
  return found == per_key_.end() || found->second < options_.get_limit_per_host();
}

void Connector::give_back(const ConnectionKey& key) noexcept {
  --total_;
  auto found = per_key_.find(key);
  if (--found->second == 0) per_key_.erase(found);
  grant();
}

/// Gives what is free to those who wait, in their order; who cannot have one lets others pass.
void Connector::grant() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    auto next = std::next(waiter);
    if (!waiter->granted.done() && has_room(waiter->key)) {
      take(waiter->key);
      waiter->granted.set_result();
      waiters_.erase(waiter);
    }
    waiter = next;
  }
}

Coro<Slot> Connector::slot_for(ConnectionKey key) {
  bool others_wait =
      std::ranges::any_of(waiters_, [&key](const Waiter& waiter) { return waiter.key == key; });
  if (!others_wait && has_room(key)) {
    take(key);
    co_return Slot(shared_from_this(), key);
  }
  Future<void> granted(loop_);
  waiters_.push_back(Waiter{key, granted});
  auto outcome = co_await capture(granted);
  if (granted.done() && !granted.cancelled() && !granted.exception()) {
    Slot slot(shared_from_this(), key);  // goes back if we were cancelled meanwhile
    outcome.value();
    co_return slot;
  }
  std::erase_if(waiters_, [&](const Waiter& waiter) { return waiter.granted == granted; });
  outcome.value();
  throw RuntimeError("Session is closed");
}

Coro<std::unique_ptr<ClientConnection>> Connector::acquire(ConnectionKey key, ClientTimeout timeout,
                                                           bool fresh) {
  if (closed_) throw RuntimeError("Session is closed");
  Slot slot = co_await slot_for(key);
  if (closed_) throw RuntimeError("Session is closed");
  std::unique_ptr<ClientConnection> connection;
  if (!fresh) connection = from_pool(key);
  if (!connection) connection = co_await connect(key, timeout.get_sock_connect());
  connection->slot = std::move(slot);
  co_return connection;
}

std::unique_ptr<ClientConnection> Connector::from_pool(const ConnectionKey& key) {
  drop_expired();
  for (auto at = pool_.end(); at != pool_.begin();) {
    --at;
    if ((*at)->key != key) continue;
    std::unique_ptr<ClientConnection> connection = std::move(*at);
    at = pool_.erase(at);
    if (is_stale(*connection)) continue;
    connection->reused = true;
    return connection;
  }
  return nullptr;
}

Coro<std::unique_ptr<ClientConnection>> Connector::connect(ConnectionKey key, OptionalDelay limit) {
  ConnectOptions options;
  options.happy_eyeballs_delay(250ms);
  if (key.secure) {
    if (!default_context_)
      default_context_ = options_.get_ssl() ? *options_.get_ssl() : create_default_context();
    options.ssl(*default_context_);
  }
  auto outcome = co_await capture(wait_for(open_connection(key.host, key.port, options), limit));
  if (outcome)
    co_return std::make_unique<ClientConnection>(key, std::move(outcome).value(),
                                                 options_.get_limits());
  try {
    outcome.rethrow();
  } catch (const TimeoutError&) {
    throw ServerTimeoutError("connect " + text_of(key));
  } catch (const std::exception& error) {
    throw ClientConnectorError("cannot connect to " + text_of(key) + ": " + error.what(),
                               std::current_exception());
  }
}

void Connector::keep(std::unique_ptr<ClientConnection> connection) {
  connection->slot.reset();
  if (closed_) return;
  connection->idle_since = loop_.time();
  pool_.push_back(std::move(connection));
  if (cleaning_) return;
  cleaning_ = loop_.call_later(options_.get_keepalive_timeout(), [self = weak_from_this()] {
    if (auto connector = self.lock()) {
      connector->cleaning_.reset();
      connector->drop_expired();
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
}

}  // namespace asyncio::http::detail
