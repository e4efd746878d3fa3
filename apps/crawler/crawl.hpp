// SPDX-License-Identifier: BSL-1.0
/// The crawl itself: takes targets from the frontier and has them fetched.
#pragma once

#include "crawler/fetcher.hpp"
#include "crawler/frontier.hpp"
#include "crawler/hosts.hpp"
#include "crawler/options.hpp"
#include <asyncio/task_group.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

namespace crawler {

/// What happened in this run.
class Tally {
 public:
  Tally() {}

  std::size_t done = 0;
  std::size_t failed = 0;
  std::size_t excluded = 0;
  std::size_t running = 0;
  std::uint64_t bytes = 0;
};

class Crawl {
 public:
  Crawl(const Options& options, Frontier& frontier);
  Crawl(const Crawl&) = delete;
  Crawl& operator=(const Crawl&) = delete;

  /// Awaits: the end, or as many pages as wanted.
  /// Throws: what the frontier throws.
  /// Cancel: requests are given up; their targets wait for the next run.
  asyncio::Coro<> run();

  const Tally& tally() const noexcept { return tally_; }

 private:
  static constexpr std::size_t kTakenAhead = 1000;

  asyncio::Coro<> dispatch(asyncio::TaskGroup& group);
  asyncio::Coro<> refill();
  void start_some(asyncio::TaskGroup& group);
  asyncio::Coro<> wait();
  asyncio::Coro<> work(Target target);
  asyncio::Coro<> visit(Target target);
  std::vector<Target> wanted(const Target& target, const Page& page) const;
  void count(Verdict verdict, const Page& page);
  bool enough() const noexcept {
    return done_before_ + tally_.done + tally_.running >= options_.pages;
  }

  const Options& options_;
  Frontier& frontier_;
  Fetcher fetcher_;
  Hosts hosts_;
  std::set<std::string> allowed_hosts_;
  asyncio::Event changed_;
  bool maybe_more_ = true;  // the frontier may have targets that can be taken
  std::size_t done_before_ = 0;
  Tally tally_;
};

}  // namespace crawler
