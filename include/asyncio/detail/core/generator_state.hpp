// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/promise.hpp"
#include "asyncio/detail/core/ready.hpp"

#include <cstdint>
#include <exception>
#include <utility>

namespace asyncio::detail {

class Loop;

/// The promise of an asynchronous generator.
///
/// States: fresh → (running ⇄ suspended at a yield) → finished. While running, `link` is the
/// awaiter of its consumer, and its frame is part of the consumer's task. While suspended or
/// running it is in its loop's list, so that the loop can close it. Counted by its AsyncGenerator
/// and by the awaiters that work on it; the last one destroys the frame. One that was dropped while
/// suspended is kept by that list: the task that is to close it may be cancelled before it begins.
class GeneratorState : public PromiseBase, public Links {
 public:
  /// A generator starts without the driver's check of `broken` in Coro, so it checks here.
  bool fresh() const noexcept { return state_ == State::fresh; }
  bool running() const noexcept { return state_ == State::running; }
  bool finished() const noexcept { return state_ == State::finished; }
  Loop& loop() const noexcept { return *loop_; }

  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) destroy_nested_frame(this);
  }

  /// Called by its consumer's awaiter.
  void enter(TaskState& consumer, FrameLink& from);
  void finish() noexcept;
  /// The task that ran it was abandoned, and nobody can destroy its frame yet, which holds a wait
  /// of that task. It is finished, and keeps the task until the wait is gone.
  void outlive(TaskState& abandoned) noexcept;
  /// Called by its owner, whose reference goes to the loop's list; taken back by false.
  void keep_in_loop(bool keep) noexcept { kept_ = keep; }
  /// Called by `co_yield`.
  void yield_to_consumer() noexcept;
  void resumed();

  void* item = nullptr;         // what was yielded, until it is taken
  void* sent = nullptr;         // what asend gave
  std::exception_ptr injected;  // what `co_yield` has to throw

 protected:
  explicit GeneratorState(Hazard parameters) noexcept : PromiseBase(parameters) {
    owned_by_link = false;
  }
  ~GeneratorState() {
    Links::unlink();
    if (abandoned_) [[unlikely]]
      let_go_of_task();
  }

 private:
  void let_go_of_task() noexcept;

  enum class State : std::uint8_t { fresh, running, suspended, finished };
  State state_ = State::fresh;
  bool kept_ = false;
  std::uint32_t references_ = 1;
  Loop* loop_ = nullptr;
  TaskState* abandoned_ = nullptr;
};

/// A counted pointer.
class GeneratorRef {
 public:
  explicit GeneratorRef(GeneratorState& state) noexcept : state_(&state) {
    state_->add_reference();
  }
  GeneratorRef(const GeneratorRef& other) noexcept : GeneratorRef(*other.state_) {}
  GeneratorRef& operator=(const GeneratorRef&) = delete;
  ~GeneratorRef() { state_->drop_reference(); }
  GeneratorState& operator*() const noexcept { return *state_; }
  GeneratorState* operator->() const noexcept { return state_; }

 private:
  GeneratorState* state_;
};

/// What an AsyncGenerator holds. Dropping it hands an unfinished generator to the loop.
class GeneratorOwner {
 public:
  explicit GeneratorOwner(GeneratorState& state) noexcept : state_(&state) {}
  GeneratorOwner(GeneratorOwner&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  GeneratorOwner& operator=(GeneratorOwner&& other) noexcept {
    if (this != &other) {
      drop();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  ~GeneratorOwner() { drop(); }

  /// Throws RuntimeError if it was moved from.
  operator GeneratorRef() const;

 private:
  void drop() noexcept;

  GeneratorState* state_;
};

/// The part of next(), asend(), athrow() and aclose() that does not depend on types.
class GeneratorWait : public FrameLink {
 public:
  /// May be moved until it is awaited.
  GeneratorWait(GeneratorWait&& idle) noexcept
      : FrameLink(), generator_(idle.generator_), injected_(std::move(idle.injected_)) {}
  GeneratorWait& operator=(GeneratorWait&&) = delete;
  ~GeneratorWait();

  /// Nothing to run: the generator has ended, or is closed before it began.
  bool await_ready();

 protected:
  explicit GeneratorWait(GeneratorRef generator, std::exception_ptr injected = nullptr) noexcept
      : generator_(std::move(generator)), injected_(std::move(injected)) {}

  GeneratorState& generator() const noexcept { return *generator_; }
  void enter(PromiseBase& consumer);
  /// The yielded item, or null at the end; throws what the generator threw.
  void* take_item();

  GeneratorRef generator_;
  std::exception_ptr injected_;
  bool entered_ = false;
};

}  // namespace asyncio::detail
