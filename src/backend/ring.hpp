// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "system_gate.hpp"

#include <liburing.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace asyncio::detail {

/// The system gives us no io_uring, or none that is of use. what() is the reason.
class RingRefused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An io_uring: a queue of requests to the kernel and a queue of their completions.
///
/// It belongs to the thread that made it, so that the kernel can leave work to that thread until it
/// asks (SINGLE_ISSUER, DEFER_TASKRUN); where the kernel has that not, a thread should still end
/// only when it has no requests left, since they end with it. `follow` moves it to another thread.
class Ring {
 public:
  /// Throws RingRefused; OSError if there are no descriptors.
  Ring(const SystemGate& gate, unsigned requests, unsigned completions);
  ~Ring() { close(); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void close() noexcept;
  int fd() const noexcept { return ring_.ring_fd; }
  bool knows(SystemCall request) const noexcept;

  /// Makes it the calling thread's. Returns whether it is a new one, which knows no requests; there
  /// must have been none but those that touch no memory. Throws as the constructor.
  bool follow() {
    if (owner_ == this_thread()) [[likely]]
      return false;
    renew();
    return true;
  }

  /// A request to fill in, null while there is no room.
  io_uring_sqe* next() noexcept { return io_uring_get_sqe(&ring_); }
  /// Whether there is nothing to submit, and no completion to be had.
  bool quiet() const noexcept {
    return io_uring_sq_ready(&ring_) == 0 && io_uring_cq_ready(&ring_) == 0 &&
           (IO_URING_READ_ONCE(*ring_.sq.kflags) & kAskKernel) == 0;
  }
  /// Submits the requests and lets the kernel do what it has put off. Returns 0 or the negative
  /// error number; then some requests may not have been submitted, and will be the next time.
  int submit() noexcept;
  /// Lets the kernel do what it has put off, and submits nothing.
  int collect() noexcept;
  /// As `submit`, and waits for a completion: at most for `limit`, or for ever.
  int submit_and_wait() noexcept;
  int submit_and_wait(std::chrono::nanoseconds limit) noexcept;
  /// Takes back a request that was not submitted yet. False if there is none.
  bool withdraw(std::uint64_t request) noexcept;

  /// Calls `each(RingCompletion)` for each completion. Returns how many there were.
  template <class F>
  unsigned reap(F each) noexcept {
    unsigned head = 0;
    unsigned count = 0;
    io_uring_cqe* cqe = nullptr;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      ++count;
      each(RingCompletion{cqe->user_data, cqe->res, cqe->flags});
    }
    io_uring_cq_advance(&ring_, count);
    return count;
  }

  /// The request whose completion nobody cares for.
  static constexpr std::uint64_t kIgnored = ~std::uint64_t{0};

 private:
  static constexpr unsigned kAskKernel = IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN;

  /// A number that no other thread has or will have: a std::thread::id is used again.
  static std::uint64_t this_thread() noexcept {
    static std::atomic<std::uint64_t> last{0};
    thread_local const std::uint64_t number = last.fetch_add(1, std::memory_order_relaxed) + 1;
    return number;
  }
  void renew();
  void set_up();
  void probe();
  void try_out();

  SystemGate gate_;
  unsigned requests_;
  unsigned completions_;
  io_uring ring_{};
  bool open_ = false;
  std::uint64_t owner_ = 0;
  std::vector<bool> known_;  // by SystemCall
};

}  // namespace asyncio::detail
