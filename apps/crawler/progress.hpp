// SPDX-License-Identifier: BSL-1.0
/// What the user sees meanwhile.
#pragma once

#include "crawler/crawl.hpp"
#include <asyncio/eventloop.hpp>

#include <string>

namespace crawler {

/// A line on stderr that changes, on a terminal; now and then a new line elsewhere.
class Progress {
 public:
  /// `beside_records`: they come on a terminal, whose line the two would share.
  Progress(const Crawl& crawl, Frontier& frontier, bool beside_records);

  /// Shows it until it is cancelled.
  asyncio::Coro<> show();
  /// Takes it away: what is said then begins a line.
  void clear();
  /// The last line.
  asyncio::Coro<> finish(bool stopped);

 private:
  asyncio::Coro<std::string> line();

  const Crawl& crawl_;
  Frontier& frontier_;
  asyncio::TimePoint begin_;
  bool on_terminal_, beside_records_;
  bool visible_ = false;
};

}  // namespace crawler
