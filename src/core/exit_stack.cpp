// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exit_stack.hpp"

#include "asyncio/with.hpp"

#include <utility>

namespace asyncio {

namespace detail {

ExitStackState::~ExitStackState() {
  while (!entries.empty()) entries.pop_back();
}

Coro<bool> ExitStackState::leave() {
  std::exception_ptr pending = std::exchange(error, nullptr);
  bool received = pending != nullptr;
  bool replaced = false;
  while (!entries.empty()) {
    auto entry = std::move(entries.back());
    entries.pop_back();
    entry->error = pending;
    Result<bool> left = co_await capture(entry->exit.take());
    if (left.has_exception()) {
      if (replaced) report_replaced(pending, left.exception());  // of the first one `with` tells
      pending = left.exception();
      replaced = true;
    } else if (left.value()) {
      pending = nullptr;
      replaced = false;
    }
  }
  if (pending && replaced) std::rethrow_exception(pending);
  co_return received && !pending;
}

}  // namespace detail

detail::ExitStackState& AsyncExitStack::state() {
  if (!state_) state_ = std::make_unique<detail::ExitStackState>();
  return *state_;
}

void AsyncExitStack::prepare() {
  if (!state().exit) state().exit.prepare(state().leave());
}

AsyncExitStack AsyncExitStack::pop_all() {
  AsyncExitStack popped;
  if (!state_) return popped;
  popped.prepare();
  popped.push(std::exchange(state_->entries, {}));
  return popped;
}

Coro<bool> AsyncExitStack::aexit(std::exception_ptr error) {
  state().error = std::move(error);
  return state().exit ? state().exit.take() : state().leave();
}

}  // namespace asyncio
