// SPDX-License-Identifier: BSL-1.0
/// Answers that are kept for a while.
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/eventloop.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace webservice {

/// One that is too old is not given out; it takes room until the cleaner comes.
class Cache {
 public:
  explicit Cache(std::chrono::nanoseconds ttl) : ttl_(ttl) {}

  std::optional<std::string> get(const std::string& key);
  void put(const std::string& key, std::string value);
  /// Removes what is too old, again and again, until it is cancelled.
  asyncio::Coro<> keep_clean(asyncio::Delay every);

  std::size_t size() const noexcept { return entries_.size(); }
  std::uint64_t hits() const noexcept { return hits_; }
  std::uint64_t misses() const noexcept { return misses_; }

 private:
  static constexpr std::size_t kMost = 10'000;

  struct Entry {
    std::string value;
    asyncio::TimePoint expires;
  };

  std::size_t clean();

  std::chrono::nanoseconds ttl_;
  std::map<std::string, Entry> entries_;
  std::uint64_t hits_ = 0;
  std::uint64_t misses_ = 0;
};

}  // namespace webservice
