// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

#include <cstddef>
#include <memory>

namespace asyncio::detail {

class Loop;
class TaskState;

/// The part of a Loop that futures, tasks and awaits use all the time: apart from it, so that it
/// can be inline in what Loop is made of.
class LoopCore {
 public:
  LoopCore(const LoopCore&) = delete;
  LoopCore& operator=(const LoopCore&) = delete;

  void call_ready(Ready& node) noexcept { ready_.push_back(node); }
  void ready_all(ReadyList& list) noexcept { ready_.splice_back(list); }
  /// The tasks that are not done.
  List<TaskNode>& tasks() noexcept { return tasks_; }
  /// The loop lives as long as futures of it.
  LoopCore& future_born() noexcept {
    if (live_futures_++ == 0) [[unlikely]]
      keep_alive();
    return *this;
  }
  void future_died() noexcept {
    if (--live_futures_ == 0) [[unlikely]]
      let_go();
  }
  std::size_t live_futures() const noexcept { return live_futures_; }

 protected:
  LoopCore() noexcept = default;
  ~LoopCore() = default;

  ReadyList ready_;
  List<TaskNode> tasks_;

 private:
  void keep_alive() noexcept;
  void let_go() noexcept;

  std::size_t live_futures_ = 0;
  std::shared_ptr<Loop> self_;  // while there are any
};

}  // namespace asyncio::detail
