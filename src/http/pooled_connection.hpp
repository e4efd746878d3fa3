// SPDX-License-Identifier: BSL-1.0
/// What a Connector keeps: PooledConnection, and the Slot that it has while it is in use.
#pragma once

#include "asyncio/time.hpp"
#include "http/connection_key.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <utility>

namespace asyncio::http::detail {

class Connector;

/// How many slots are taken for each key.
using SlotCounts = std::map<ConnectionKey, std::size_t>;

/// The right to have one connection more.
class Slot {
 public:
  Slot() = default;
  Slot(std::shared_ptr<Connector> connector, SlotCounts::iterator count) noexcept
      : connector_(std::move(connector)), count_(count) {}
  Slot(Slot&&) noexcept = default;
  Slot& operator=(Slot&& other) noexcept {
    if (this == &other) return *this;
    reset();
    connector_ = std::move(other.connector_);
    count_ = other.count_;
    return *this;
  }
  ~Slot() { reset(); }

  explicit operator bool() const noexcept { return connector_ != nullptr; }
  void reset() noexcept;

 private:
  std::shared_ptr<Connector> connector_;
  SlotCounts::iterator count_{};
};

/// A connection to a server. Closes when it goes.
class PooledConnection {
 public:
  explicit PooledConnection(ConnectionKey to) : key(std::move(to)) {}
  PooledConnection(const PooledConnection&) = delete;
  PooledConnection& operator=(const PooledConnection&) = delete;
  virtual ~PooledConnection() = default;

  /// Whether it can take no other request: the server has closed it, or says something that nobody
  /// has asked for.
  virtual bool is_stale() const noexcept = 0;
  /// Whether it is a SharedConnection, else it is a ClientConnection.
  virtual bool is_shared() const noexcept = 0;

  const ConnectionKey key;
  Slot slot;  // while it is in use
  bool reused = false;
  TimePoint idle_since{};
};

}  // namespace asyncio::http::detail
