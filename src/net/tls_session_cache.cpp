// SPDX-License-Identifier: BSL-1.0
#include "tls_session_cache.hpp"

namespace asyncio::detail {

void TlsSessionCache::forget_all() {
  std::lock_guard lock(mutex_);
  by_peer_.clear();
  entries_.clear();
  ++generation_;
}

unsigned TlsSessionCache::generation() const {
  std::lock_guard lock(mutex_);
  return generation_;
}

void TlsSessionCache::put(const std::string& peer, unsigned generation, SessionPtr session) {
  std::lock_guard lock(mutex_);
  if (generation != generation_) return;
  auto known = by_peer_.find(peer);
  if (known != by_peer_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    entries_.front().second = std::move(session);
    return;
  }
  if (entries_.size() == kCapacity) {
    by_peer_.erase(entries_.back().first);
    entries_.pop_back();
  }
  entries_.emplace_front(peer, std::move(session));
  by_peer_[peer] = entries_.begin();
}

SessionPtr TlsSessionCache::take(const std::string& peer) {
  std::lock_guard lock(mutex_);
  auto known = by_peer_.find(peer);
  if (known == by_peer_.end()) return nullptr;
  SessionPtr session = std::move(known->second->second);
  entries_.erase(known->second);
  by_peer_.erase(known);
  return session;
}

}  // namespace asyncio::detail
