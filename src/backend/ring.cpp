// SPDX-License-Identifier: BSL-1.0
#include "ring.hpp"

#include "asyncio/exceptions.hpp"

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <utility>

namespace asyncio::detail {

namespace {

/// The best first. What a kernel does not know it refuses with EINVAL.
constexpr unsigned kModes[] = {
    // Linux 6.1: completions are made when the loop asks for them, by the loop's thread
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    // Linux 5.19: without interrupting the loop's thread
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL,
    0,
};

struct Request {
  SystemCall call;
  int opcode;
};
constexpr Request kRequests[] = {
    {SystemCall::ring_accept, IORING_OP_ACCEPT}, {SystemCall::ring_cancel, IORING_OP_ASYNC_CANCEL},
    {SystemCall::file_sync, IORING_OP_FSYNC},    {SystemCall::file_open, IORING_OP_OPENAT},
    {SystemCall::ring_poll, IORING_OP_POLL_ADD}, {SystemCall::file_read, IORING_OP_READ},
    {SystemCall::file_stat, IORING_OP_STATX},    {SystemCall::ring_wake, IORING_OP_POLL_ADD},
    {SystemCall::file_write, IORING_OP_WRITE},
};

std::string text_of(int error) { return std::generic_category().message(error); }

/// Why io_uring_setup failed with `error`.
std::string setup_refusal(int error) {
  std::string text = "io_uring_setup: " + text_of(error);
  if (error == ENOSYS) return text + " (a kernel without io_uring, or a sandbox)";
  if (error == EPERM) {
    std::string level;
    std::ifstream("/proc/sys/kernel/io_uring_disabled") >> level;
    if (level == "1" || level == "2") return text + " (kernel.io_uring_disabled is " + level + ")";
    return text + " (a seccomp filter, such as a container's)";
  }
  rlimit locked{};
  if (error == ENOMEM && ::getrlimit(RLIMIT_MEMLOCK, &locked) == 0)
    return text + " (RLIMIT_MEMLOCK is " + std::to_string(locked.rlim_cur) + ")";
  return text;
}

}  // namespace

Ring::Ring(const SystemGate& gate, unsigned requests, unsigned completions)
    : gate_(gate), requests_(requests), completions_(completions) {
  renew();
}

void Ring::close() noexcept {
  if (std::exchange(open_, false)) io_uring_queue_exit(&ring_);
}

void Ring::renew() {
  close();
  set_up();
  open_ = true;
  owner_ = this_thread();
  try {
    probe();
    try_out();
  } catch (...) {  // Also for want of memory: a constructor's object is never closed.
    close();
    throw;
  }
}

void Ring::set_up() {
  int result = -EINVAL;
  for (unsigned mode : kModes) {
    if (result != -EINVAL) break;
    io_uring_params params{};
    params.flags = mode | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = completions_;
    result = static_cast<int>(gate_.direct(SystemCall::io_uring_setup, [&] {
      return io_uring_queue_init_params(requests_, &ring_, &params);
    }));
  }
  if (result == -EMFILE || result == -ENFILE) throw_os_error(-result, "io_uring_setup");
  if (result < 0) throw RingRefused(setup_refusal(-result));
}

/// What this kernel can do.
void Ring::probe() {
  std::unique_ptr<io_uring_probe, void (*)(io_uring_probe*)> known(io_uring_get_probe_ring(&ring_),
                                                                   io_uring_free_probe);
  if (!known) throw RingRefused("io_uring_register is refused");
  known_.assign(static_cast<std::size_t>(SystemCall::count), false);
  FaultLayer* faults = gate_.faults();
  for (auto [call, opcode] : kRequests)
    known_[static_cast<std::size_t>(call)] =
        io_uring_opcode_supported(known.get(), opcode) && (!faults || faults->knows(call));

  // A timeout of io_uring_enter came with Linux 5.11. Multishot polls and accepts have no feature
  // of their own; they came with 5.13, as RSRC_TAGS, and 5.19, as the opcode SOCKET.
  bool timeout = (ring_.features & IORING_FEAT_EXT_ARG) &&
                 (!faults || faults->knows(SystemCall::io_uring_enter));
  if (!timeout || !(ring_.features & IORING_FEAT_RSRC_TAGS) || !knows(SystemCall::ring_poll) ||
      !knows(SystemCall::ring_wake) || !knows(SystemCall::ring_cancel))
    throw RingRefused("the io_uring of this kernel is too old (Linux 5.13 is needed)");
  if (!io_uring_opcode_supported(known.get(), IORING_OP_SOCKET))
    known_[static_cast<std::size_t>(SystemCall::ring_accept)] = false;
}

/// A filter may allow to make a ring, and refuse its use.
void Ring::try_out() {
  io_uring_prep_nop(next());
  int result = 0;
  do {
    result = submit_and_wait();
  } while (result == -EINTR);
  if (result < 0) throw RingRefused("io_uring_enter: " + text_of(-result));
  reap([](const RingCompletion&) {});
}

bool Ring::knows(SystemCall request) const noexcept {
  return known_[static_cast<std::size_t>(request)];
}

int Ring::submit() noexcept {
  return static_cast<int>(gate_.direct(SystemCall::io_uring_enter,
                                       [&] { return io_uring_submit_and_get_events(&ring_); }));
}

int Ring::collect() noexcept {
  return static_cast<int>(
      gate_.direct(SystemCall::io_uring_enter, [&] { return io_uring_get_events(&ring_); }));
}

int Ring::submit_and_wait() noexcept {
  io_uring_cqe* first = nullptr;
  return static_cast<int>(gate_.direct(SystemCall::io_uring_enter, [&] {
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, nullptr, nullptr);
  }));
}

int Ring::submit_and_wait(std::chrono::nanoseconds limit) noexcept {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
  __kernel_timespec timeout{seconds.count(), (limit - seconds).count()};
  io_uring_cqe* first = nullptr;
  return static_cast<int>(gate_.direct(SystemCall::io_uring_enter, [&] {
    return io_uring_submit_and_wait_timeout(&ring_, &first, 1, &timeout, nullptr);
  }));
}

bool Ring::withdraw(std::uint64_t request) noexcept {
  io_uring_sq& queue = ring_.sq;
  for (unsigned i = io_uring_smp_load_acquire(queue.khead); i != queue.sqe_tail; ++i) {
    io_uring_sqe& sqe = queue.sqes[i & queue.ring_mask];
    if (sqe.user_data != request) continue;
    io_uring_prep_nop(&sqe);
    sqe.user_data = kIgnored;
    return true;
  }
  return false;
}

}  // namespace asyncio::detail
