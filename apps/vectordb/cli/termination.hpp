// SPDX-License-Identifier: BSL-1.0
/// SIGTERM for a command that leaves something behind, or unsaid, if it just dies.
#pragma once

#include <asyncio/eventloop.hpp>

namespace vectordb::cli {

/// While it lives, SIGTERM cancels the task that made it, as Ctrl-C does; a second one kills the
/// process. Not for what may block the loop, as a pipe that nobody reads: nothing would end that.
class Termination {
 public:
  Termination();
  ~Termination();
  Termination(const Termination&) = delete;
  Termination& operator=(const Termination&) = delete;

 private:
  asyncio::EventLoop loop_;
};

}  // namespace vectordb::cli
