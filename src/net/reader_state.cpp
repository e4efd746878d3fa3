// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/reader_state.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"

#include <string>
#include <utility>

namespace asyncio::detail {

ReadWait::~ReadWait() {
  if (reader_ && reader_->waiter() == this) reader_->set_waiter(nullptr);
}

/// CPython: the loops around StreamReader._wait_for_data.
bool ReadWait::await_ready() {
  ReaderState& reader = *reader_;
  reader.check_thread();
  // Also if there are bytes: the one that waits has looked at them already.
  if (reader.waiter())
    throw RuntimeError(std::string(name_) +
                       "() called while another coroutine is already waiting for incoming data");
  reader.buffer().end_loan();
  return reader.serve(*this);
}

void ReadWait::await_suspend(PromiseBase& promise) {
  reader_->check_loop(promise);
  state_ = State::pending;
  reader_->set_waiter(this);
  suspend_task(promise);
}

void ReadWait::serve_in_step() noexcept {
  if (state_ != State::pending) return;
  ask_before_resuming();
  fire();
}

bool ReadWait::may_resume() noexcept {
  if (cancel_delivered()) state_ = State::cancelled;
  if (state_ == State::cancelled || reader_->serve(*this)) return true;
  state_ = State::pending;
  return false;
}

void ReadWait::fire() noexcept {
  if (state_ != State::pending) return;
  state_ = State::fired;
  wake();
}

bool ReadWait::cancel(const std::exception_ptr& reason) {
  if (state_ != State::pending) return false;
  state_ = State::cancelled;
  wake_cancelled(reason);
  return true;
}

void ReadWait::leave() {
  bool delivered = cancel_delivered();
  if (reader_->waiter() == this) reader_->set_waiter(nullptr);
  if (delivered || state_ == State::cancelled) {
    give_back();
    throw_cancelled();
  }
  if (reader_->exception()) std::rethrow_exception(reader_->exception());
}

void ReadWait::throw_if_failed() const {
  if (reader_->failure()) std::rethrow_exception(reader_->failure());
}

void check_limit(std::size_t limit) {
  if (limit == 0) throw ValueError("Limit cannot be <= 0");
}

// The loop outlives what refers to it.
ReaderState::ReaderState(Loop& loop, std::size_t limit) : loop_(loop), limit_(limit) {
  check_limit(limit);
  loop.future_born();
}

ReaderState::~ReaderState() { loop_.future_died(); }

void ReaderState::check_loop(const PromiseBase& promise) const {
  if (&promise.task->loop() != &loop_)
    throw RuntimeError("the stream is bound to a different event loop");
}

void ReaderState::check_thread() const { loop_.check_owner(); }

void ReaderState::feed_data(std::string_view data) {
  if (eof_) throw RuntimeError("feed_data after feed_eof");
  if (data.empty()) return;
  buffer_.append(data);
  wake_if_satisfied();
}

void ReaderState::feed_eof() {
  eof_ = true;
  wake_if_satisfied();
}

void ReaderState::set_exception(std::exception_ptr error) {
  exception_ = std::move(error);
  wake_if_satisfied();
}

void ReaderState::wake_if_satisfied() noexcept {
  if (waiter_ && satisfies(*waiter_)) waiter_->fire();
}

bool ReaderState::serve(ReadWait& reader) noexcept {
  try {
    while (!satisfies(reader))
      if (!fill(reader)) return false;
  } catch (const std::exception&) {  // No memory for what arrived: the reader is told.
    fill_failed(std::current_exception());
  }
  return true;
}

void ReaderState::advance() noexcept {
  if (waiter_ && serve(*waiter_)) waiter_->fire();
}

}  // namespace asyncio::detail
