// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/operation_wait.hpp"

#include "asyncio/detail/core/task_state.hpp"

#include <utility>

namespace asyncio::detail {

void OperationWait::on_end(Ready& node) {
  auto& self = static_cast<OperationWait&>(static_cast<Operation&>(node));
  if (self.cancelled_)
    self.wake_cancelled(self.reason_);
  else
    self.wake();
}

bool OperationWait::cancel(const std::exception_ptr& reason) {
  if (phase != Phase::waiting || cancelled_) return false;
  cancelled_ = true;
  reason_ = reason;
  backend_.cancel(*this);
  return true;
}

std::int64_t OperationWait::await_resume() {
  bool delivered = cancel_delivered();
  if (delivered || cancelled_) throw_cancelled();
  return result;
}

}  // namespace asyncio::detail
