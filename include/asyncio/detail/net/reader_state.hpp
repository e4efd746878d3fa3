// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/detail/net/byte_queue.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>
#include <utility>

namespace asyncio::detail {

class Loop;
class ReaderState;

/// A read that cannot be served from the buffer: what CPython's StreamReader has as `_waiter`. One
/// for each reader at a time. It takes its bytes in `await_resume`, so that a cancelled read has
/// taken none.
class ReadWait : public Wait {
 public:
  bool await_ready();
  void await_suspend(PromiseBase& promise);
  bool cancel(const std::exception_ptr& reason) final;
  bool may_resume() noexcept final;
  AwaitableKind kind() const noexcept final { return AwaitableKind::stream_read; }

  /// Whether the buffer has what is asked for.
  virtual bool enough() noexcept = 0;
  /// How many bytes have to come for sure before `enough`.
  virtual std::size_t missing() const noexcept { return 1; }
  /// Where to put bytes directly instead of into the buffer, while that is empty.
  virtual std::span<char> target() noexcept { return {}; }
  /// So many bytes were put there.
  virtual void received(std::size_t count) noexcept { (void)count; }

  /// The task goes on in the next iteration, if it still waits.
  void fire() noexcept;
  /// The same, if there is what it waits for by then: the step gets it.
  void serve_in_step() noexcept;

 protected:
  ReadWait(Ref<ReaderState> reader, const char* name) noexcept
      : reader_(std::move(reader)), name_(name) {}
  ReadWait(ReadWait&&) noexcept = default;
  ~ReadWait();

  /// Begins await_resume: the task no longer waits. Throws if it was cancelled, or if the reader
  /// has an exception that is to be seen before any bytes.
  void leave();
  /// Throws the error of a connection that has failed. To be called when not `enough`.
  void throw_if_failed() const;
  /// Called before CancelledError is thrown: gives back what `received` was told.
  virtual void give_back() noexcept {}

  Ref<ReaderState> reader_;

 private:
  enum class State : unsigned char { idle, pending, fired, cancelled };

  const char* name_;
  State state_ = State::idle;
};

/// Throws ValueError for what cannot be how long a line may be.
void check_limit(std::size_t limit);

/// What is behind a StreamReader: the bytes that came and were not read, and who waits for more.
/// Counted by its handles and by the reads on it.
class ReaderState {
 public:
  ReaderState(Loop& loop, std::size_t limit);
  ReaderState(const ReaderState&) = delete;
  ReaderState& operator=(const ReaderState&) = delete;

  Loop& loop() const noexcept { return loop_; }
  std::size_t limit() const noexcept { return limit_; }
  ByteQueue& buffer() noexcept { return buffer_; }
  bool eof() const noexcept { return eof_; }
  bool at_eof() const noexcept { return eof_ && buffer_.empty(); }
  /// What a reader sees before any bytes; then the error of the connection, seen after them.
  const std::exception_ptr& exception() const noexcept { return exception_; }
  const std::exception_ptr& failure() const noexcept { return failure_; }

  void feed_data(std::string_view data);
  void feed_eof();
  void set_exception(std::exception_ptr error);

  /// Throws RuntimeError if `promise` runs in another loop.
  void check_loop(const PromiseBase& promise) const;
  /// Throws RuntimeError in a debug loop if the caller runs in another thread than the loop.
  void check_thread() const;

  ReadWait* waiter() const noexcept { return waiter_; }
  void set_waiter(ReadWait* waiter) noexcept { waiter_ = waiter; }
  /// Whether `reader` need not wait.
  bool satisfies(ReadWait& reader) const noexcept {
    return reader.enough() || eof_ || exception_ || failure_;
  }
  /// Tries to get bytes for `reader` without waiting. False: it has to wait, and `advance` is
  /// called when there is something.
  virtual bool fill(ReadWait& reader) {
    (void)reader;
    return false;
  }

  /// Gets what `reader` asks for, if that is to be had without waiting.
  bool serve(ReadWait& reader) noexcept;
  /// Serves the waiting read with what can be had.
  void advance() noexcept;

  void add_reference() noexcept { ++references_; }
  void drop_reference() noexcept {
    if (--references_ == 0) unreferenced();
  }
  bool referenced() const noexcept { return references_ > 0; }

 protected:
  virtual ~ReaderState();
  virtual void unreferenced() noexcept { delete this; }

  /// `fill` has thrown.
  virtual void fill_failed(std::exception_ptr error) noexcept { failure_ = std::move(error); }
  void wake_if_satisfied() noexcept;

  ByteQueue buffer_;
  std::exception_ptr exception_;
  std::exception_ptr failure_;
  bool eof_ = false;

 private:
  std::uint32_t references_ = 1;
  Loop& loop_;
  std::size_t limit_;
  ReadWait* waiter_ = nullptr;
};

}  // namespace asyncio::detail
