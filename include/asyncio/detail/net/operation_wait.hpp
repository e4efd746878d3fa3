// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/wait.hpp"

#include <cstdint>
#include <exception>

namespace asyncio::detail {

/// Awaits one operation, which lives in the awaiting frame. Its result is that of the operation.
///
/// A cancellation is delivered when the backend has let go of the operation; what that had achieved
/// by then is in `result`, for the owner to undo.
class [[nodiscard("co_await it")]] OperationWait final : public Wait, public Operation {
 public:
  OperationWait(Backend& backend, Opcode what, int descriptor) noexcept
      : Operation(&on_end, what, descriptor), backend_(backend) {}
  ~OperationWait() { backend_.forget(*this); }

  bool await_ready() { return backend_.start(*this); }
  void await_suspend(PromiseBase& promise) { suspend_task(promise); }
  std::int64_t await_resume();
  bool cancel(const std::exception_ptr& reason) override;
  AwaitableKind kind() const noexcept override { return AwaitableKind::operation; }

 private:
  static void on_end(Ready& node);

  Backend& backend_;
  std::exception_ptr reason_;
  bool cancelled_ = false;
};

}  // namespace asyncio::detail
