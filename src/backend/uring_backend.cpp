// SPDX-License-Identifier: BSL-1.0
#include "uring_backend.hpp"

#include "asyncio/detail/backend/uring.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"

#include <algorithm>
#include <cerrno>
#include <new>
#include <poll.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// How long to wait before the kernel is asked again to take requests that it has no memory for.
constexpr std::chrono::milliseconds kRecovery{10};

constexpr std::size_t kCancels = 64;

}  // namespace

UringBackend::UringBackend(const UringOptions& options)
    : ReadinessBackend(options.faults),
      wake_(gate()),
      ring_(gate(), options.requests, options.completions) {
  cancels_.reserve(kCancels);
}

// --- The loop ---------------------------------------------------------------------------------

void UringBackend::poll(TimePoint deadline) {
  deadline = end_late(deadline);
  if (ring_.follow()) watching_wake_ = false;
  bool full = !fill();
  while (full && ring_.submit() > 0) full = !fill();
  int error = enter(full ? TimePoint::min() : deadline);
  unsigned count = reap();
  if (error < 0 && count == 0) recover(error, deadline);
}

int UringBackend::enter(TimePoint deadline) noexcept {
  if (deadline == TimePoint::min() || (gate().faults() && gate().faults()->holding()))
    return ring_.quiet() ? 0 : ring_.submit();
  if (deadline == TimePoint::max()) return ring_.submit_and_wait();
  return ring_.submit_and_wait(left(deadline));
}

/// The kernel was asked in vain: what it has not taken is still in the ring and goes with the next
/// poll.
void UringBackend::recover(int error, TimePoint deadline) {
  switch (-error) {
    case ETIME:
    case EINTR:
    case EBUSY:  // completions have to be reaped first, and have been
      return;
    case EAGAIN:
    case ENOMEM: {
      // No memory for requests. Completions free some; without one it is not tried again at once,
      // or the loop would spin (R8).
      bool asked = ring_.collect() >= 0;
      if (reap() > 0) return;
      pollfd ring{asked ? ring_.fd() : -1, POLLIN, 0};
      auto limit = std::min<std::chrono::nanoseconds>(left(deadline), kRecovery);
      auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
      gate().call(SystemCall::poll,
                  [&] { return ::poll(&ring, 1, static_cast<int>(milliseconds)); });
      return;
    }
    default:
      throw_os_error(-error, "io_uring_enter");
  }
}

/// For what cannot go on without a completion.
void UringBackend::wait_for_completion() noexcept {
  int error = flush();
  if (reap() > 0) return;
  if (error >= 0 && !(gate().faults() && gate().faults()->holding()))
    ring_.submit_and_wait();
  else
    std::this_thread::yield();
  reap();
}

/// The next run may be in another thread, and the kernel would end what this one has submitted: it
/// is taken back, to be submitted anew.
void UringBackend::stopped() noexcept {
  if (outstanding_ == 0) return;
  stopping_ = true;
  for (const auto& watch : watches()) {
    if (!watch) continue;
    for (Side* side : {&watch->reading, &watch->writing})
      if (side->armed && !side->linked()) {
        if (take_back(name_of(*side)))
          arming_.push_back(*side);
        else
          cancel_request(name_of(*side));
      }
  }
  for (auto& [fd, listener] : listeners_)
    if (listener.armed && !listener.linked()) {
      if (take_back(name_of(listener)))
        opening_.push_back(listener);
      else if (!listener.cancelled)
        cancel_request(name_of(listener));
    }
  for (auto it = in_flight_.begin(); it != in_flight_.end();) {
    Operation& op = *it;
    ++it;
    if (take_back(RequestName(op).value()))
      requeue(op);
    else if (!op.cancelled)
      cancel_request(RequestName(op).value());
  }
  while (outstanding_ > 0) wait_for_completion();
  stopping_ = false;
}

void UringBackend::close() noexcept {
  close_resources();
  closed_ = true;
  while (!arming_.empty()) arming_.pop_front();
  while (!opening_.empty()) opening_.pop_front();
  while (!unsubmitted_.empty()) unsubmitted_.pop_front().phase = Operation::Phase::idle;
  while (!listeners_.empty()) drop_listener(listeners_.begin()->first);
  ring_.close();
  wake_.close();
}

// --- Operations -------------------------------------------------------------------------------

bool UringBackend::supports(Opcode opcode) const noexcept {
  switch (opcode) {
    case Opcode::openat:
    case Opcode::statx:
    case Opcode::fsync:
      return knows(opcode);
    default:
      return ReadinessBackend::supports(opcode);
  }
}

bool UringBackend::start(Operation& op) noexcept {
  if (op.opcode == Opcode::accept)
    if (find_listener(op.fd) || (op.repeated && ring_.knows(SystemCall::ring_accept)))
      return start_accept(op);
  if (!is_request(op)) return ReadinessBackend::start(op);
  if (closed_) return ended_at_once(op, -EBADF);
  if (!knows(op.opcode)) return ended_at_once(op, -EOPNOTSUPP);
  int error = 0;
  if (Watch* watch = remember(op.fd, error)) ++watch->requests;
  op.phase = Operation::Phase::waiting;
  unsubmitted_.push_back(op);
  return false;
}

std::int64_t UringBackend::attempt(Operation& op) noexcept {
  if (is_request(op)) return knows(op.opcode) ? -EAGAIN : -EOPNOTSUPP;
  if (op.opcode == Opcode::accept)
    if (Listener* listener = find_listener(op.fd); listener && !listener->taken.empty())
      return take_accepted(*listener, op);
  return ReadinessBackend::attempt(op);
}

void UringBackend::cancel(Operation& op) noexcept {
  if (op.phase != Operation::Phase::waiting) return;
  if (op.submitted && !take_back(RequestName(op).value())) {
    if (!std::exchange(op.cancelled, true)) cancel_request(RequestName(op).value());
    return;
  }
  if (is_request(op)) operation_ended(op);
  op.submitted = false;
  ReadinessBackend::cancel(op);
}

void UringBackend::forget(Operation& op) noexcept {
  if (op.submitted) cancel(op);
  while (op.submitted) wait_for_completion();
  if (op.phase == Operation::Phase::waiting && is_request(op)) operation_ended(op);
  ReadinessBackend::forget(op);
}

}  // namespace asyncio::detail
