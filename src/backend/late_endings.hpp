// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "call_of.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace asyncio::detail {

/// Operations that have ended and whose owners hear of it some polls later, or in another order, as
/// a FaultLayer wants. To an owner they are in the ready queue, where it may take them out.
class LateEndings {
 public:
  explicit LateEndings(FaultLayer& faults) noexcept : faults_(faults) {}

  /// False if this one is not late.
  bool take(Operation& op) noexcept {
    Lateness lateness = faults_.lateness(call_of(op));
    if (lateness.polls == 0) return false;
    List<Ready>& due = due_[(poll_ + std::min(lateness.polls, kMost)) % kTurns];
    if (lateness.first)
      due.push_front(op);
    else
      due.push_back(op);
    return true;
  }

  /// At the beginning of a poll: those that are due now.
  List<Ready>& next() noexcept { return due_[++poll_ % kTurns]; }
  bool empty() const noexcept {
    return std::all_of(due_.begin(), due_.end(), [](const auto& due) { return due.empty(); });
  }

 private:
  static constexpr unsigned kTurns = 64;
  static constexpr unsigned kMost = kTurns - 1;

  FaultLayer& faults_;
  std::array<List<Ready>, kTurns> due_;  // by the number of the poll
  unsigned poll_ = 0;
};

}  // namespace asyncio::detail
