// SPDX-License-Identifier: BSL-1.0
/// Manners: how often and how much at once a host is asked.
#pragma once

#include "crawler/frontier.hpp"
#include <asyncio/eventloop.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>

namespace crawler {

/// Targets that were taken from the frontier, by host. A host has so many requests at once, and so
/// much time between their beginnings; hosts take turns.
class Hosts {
 public:
  Hosts(std::size_t per_host, std::chrono::nanoseconds delay)
      : per_host_(per_host), delay_(delay) {}

  void push(Target target);
  /// One whose host may be asked now; it counts as being asked until `release`.
  std::optional<Target> next(asyncio::TimePoint now);
  /// When one may be that waits for nothing but time.
  std::optional<asyncio::TimePoint> when() const;
  void release(const Target& target);
  /// The host wants to be asked less often.
  void slow_down(const Target& target, std::chrono::nanoseconds delay);

  std::size_t size() const noexcept { return size_; }

 private:
  struct Host {
    std::deque<Target> targets;
    std::size_t asked = 0;
    asyncio::TimePoint next{};
    std::chrono::nanoseconds delay{};
  };
  using Map = std::map<std::string, Host>;

  Target take(Map::iterator host, asyncio::TimePoint now);

  std::size_t per_host_;
  std::chrono::nanoseconds delay_;
  Map hosts_;
  std::string last_;  // whose turn it was
  std::size_t size_ = 0;
};

}  // namespace crawler
