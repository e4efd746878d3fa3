// SPDX-License-Identifier: BSL-1.0
/// What is still to be crawled, and what has been: Frontier.
#pragma once

#include <asyncio/coro.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace crawler {

/// A page and how many links it is away from a seed.
class Target {
 public:
  Target(std::string address, int links_away) : url(std::move(address)), depth(links_away) {}

  std::string url;
  int depth;
};

/// How a target has ended.
enum class Verdict { done, failed, excluded };

class Counts {
 public:
  Counts() {}

  std::size_t waiting = 0;  // also those that are taken
  std::size_t done = 0;
  std::size_t failed = 0;
  std::size_t excluded = 0;
};

/// The crawler knows it by this interface alone, so that it may live in a file, in memory, or in a
/// data base that several crawlers share.
///
/// A target is waiting, then taken, then finished. Each operation happens wholly or not at all,
/// also if it is cancelled. Targets that were taken when the program ended are waiting for the next
/// one.
class Frontier {
 public:
  Frontier(const Frontier&) = delete;
  Frontier& operator=(const Frontier&) = delete;
  virtual ~Frontier() = default;

  /// Adds those that it has never had.
  virtual asyncio::Coro<> add(std::vector<Target> targets) = 0;
  /// Takes up to `count` in the order in which they were added, all of the smallest depth that has
  /// any that are not finished. None if all of them are taken already: breadth first means to wait
  /// for what they bring.
  virtual asyncio::Coro<std::vector<Target>> take(std::size_t count) = 0;
  /// A target is finished: with its links, which are added, and its record, which goes to the
  /// output.
  virtual asyncio::Coro<> finish(Target target, Verdict verdict, std::vector<Target> links,
                                 std::string record) = 0;
  virtual asyncio::Coro<Counts> counts() = 0;

 protected:
  Frontier() = default;
};

}  // namespace crawler
