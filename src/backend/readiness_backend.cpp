// SPDX-License-Identifier: BSL-1.0
#include "readiness_backend.hpp"

#include <cerrno>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace asyncio::detail {

namespace {

bool is_poll(Opcode opcode) noexcept {
  return opcode == Opcode::poll_readable || opcode == Opcode::poll_writable;
}

/// A Unix socket whose peer's backlog is full does not begin to connect: nothing would tell when to
/// try again, so EAGAIN is the result.
bool would_wait(Opcode opcode, std::int64_t result) noexcept {
  return result == (opcode == Opcode::connect ? -EINPROGRESS : -EAGAIN);
}

}  // namespace

bool ReadinessBackend::supports(Opcode opcode) const noexcept {
  switch (opcode) {
    case Opcode::openat:
    case Opcode::statx:
    case Opcode::fsync:
      return false;
    default:
      return true;
  }
}

// --- Operations -------------------------------------------------------------------------------

bool ReadinessBackend::start(Operation& op) noexcept {
  if (op.opcode == Opcode::close) return ended_at_once(op, close_fd(op.fd));
  int error = 0;
  Watch* watch = remember(op.fd, error);
  if (!watch) return ended_at_once(op, error);
  Side& side = side_of(*watch, op);
  // Who asks for what is parked is told at once if it is ready.
  if (side.waiting.empty() && !(watch->parked() && is_poll(op.opcode))) {
    std::int64_t result = attempt_on(side, op);
    if (!would_wait(op.opcode, result)) return ended_at_once(op, result);
  }
  if (!side.armed && (error = arm(side)) != 0) return ended_at_once(op, error);
  op.phase = Operation::Phase::waiting;
  side.waiting.push_back(op);
  return false;
}

std::int64_t ReadinessBackend::attempt(Operation& op) noexcept {
  if (op.opcode == Opcode::close) return close_fd(op.fd);
  if (op.fd < 0) return -EBADF;
  if (is_poll(op.opcode) && !op.stream) return poll_once(op);
  int error = 0;
  Watch* watch = remember(op.fd, error);
  return watch ? attempt_on(side_of(*watch, op), op) : error;
}

std::int64_t ReadinessBackend::attempt_on(Side& side, Operation& op) noexcept {
  if (!is_poll(op.opcode)) return perform_and_note(op, side);
  if (!op.stream) return poll_once(op);
  return side.blocked ? -EAGAIN : 1;
}

/// Asks the system whether a descriptor is ready for a poll operation.
std::int64_t ReadinessBackend::poll_once(const Operation& op) noexcept {
  pollfd asked{op.fd, static_cast<short>(waits_for_write(op.opcode) ? POLLOUT : POLLIN), 0};
  std::int64_t count = gate().retried(SystemCall::poll, [&] { return ::poll(&asked, 1, 0); });
  if (count < 0) return count;
  if (asked.revents & POLLNVAL) return -EBADF;
  return count > 0 ? 1 : -EAGAIN;
}

std::int64_t ReadinessBackend::connect_outcome(int fd) noexcept {
  int error = 0;
  std::uint32_t size = sizeof error;
  int asked = getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, size);
  return asked < 0 ? asked : -error;
}

bool ReadinessBackend::trusts_short_reads(Watch& watch) noexcept {
  if (!watch.examined) {
    watch.examined = true;
    int domain = 0;
    std::uint32_t size = sizeof domain;
    int asked = getsockopt(watch.fd, SOL_SOCKET, SO_DOMAIN, &domain, size);
    if (asked < 0 || (domain != AF_INET && domain != AF_INET6)) watch.shorts_deceive = true;
  }
  return !watch.shorts_deceive;
}

std::int64_t ReadinessBackend::perform_and_note(Operation& op, Side& side) noexcept {
  std::int64_t result = perform(op);
  if (op.stream) {
    bool short_read = op.opcode == Opcode::recv && result > 0 &&
                      result < static_cast<std::int64_t>(op.size) && !gate().shortened() &&
                      trusts_short_reads(side.watch);
    side.blocked = result == -EAGAIN || short_read;
  }
  if (op.opcode == Opcode::accept && result >= 0) renew(static_cast<int>(result), -EBADF);
  return result;
}

void ReadinessBackend::serve(Side& side) noexcept {
  side.blocked = false;
  while (!side.waiting.empty()) {
    Operation& op = side.waiting.front();
    std::int64_t result = 1;
    if (op.opcode == Opcode::connect)
      result = connect_outcome(op.fd);
    else if (!is_poll(op.opcode))
      result = perform_and_note(op, side);
    else if (!op.stream && !side.watch.parked())
      result = poll_once(op);  // somebody may have been quicker
    if (result == -EAGAIN) return;
    op.unlink();
    finish(op, result);
  }
}

void ReadinessBackend::cancel(Operation& op) noexcept {
  if (op.phase != Operation::Phase::waiting) return;
  op.unlink();
  finish(op, -ECANCELED);
}

void ReadinessBackend::forget(Operation& op) noexcept {
  op.unlink();  // from the waiting ones, or from the ready queue
  if (op.phase == Operation::Phase::waiting) op.phase = Operation::Phase::idle;
}

// --- Descriptors ------------------------------------------------------------------------------

int ReadinessBackend::socket(int family, int type, int protocol) noexcept {
  int fd = SystemBackend::socket(family, type, protocol);
  if (fd >= 0) renew(fd, -EBADF);
  return fd;
}

int ReadinessBackend::adopt(int fd) noexcept {
  std::int64_t flags = gate().call(SystemCall::fcntl, [&] { return ::fcntl(fd, F_GETFL); });
  if (flags < 0) return static_cast<int>(flags);
  std::int64_t set = gate().call(SystemCall::fcntl, [&] {
    return ::fcntl(fd, F_SETFL, static_cast<int>(flags) | O_NONBLOCK);
  });
  if (set < 0) return static_cast<int>(set);
  renew(fd, -EBADF);
  return 0;
}

void ReadinessBackend::release(int fd) noexcept {
  Watch* watch = find(fd);
  if (!watch || !watch->reading.waiting.empty() || !watch->writing.waiting.empty()) return;
  // What is parked needs nothing done, and is soon asked for again: a loop of calls on a socket.
  if (watch->parked())
    forget_state(*watch);
  else
    renew(*watch, -EBADF);
  watch->lent = true;
}

int ReadinessBackend::close_fd(int fd) noexcept {
  if (fd < 0) return -EBADF;
  renew(fd, -ECANCELED);
  return static_cast<int>(gate().once(SystemCall::close, [&] { return ::close(fd); }));
}

ReadinessBackend::Watch* ReadinessBackend::remember_new(int fd, int& error) noexcept {
  std::int64_t open = gate().call(SystemCall::fcntl, [&] { return ::fcntl(fd, F_GETFD); });
  if (open < 0) {
    error = static_cast<int>(open);
    return nullptr;
  }
  auto number = static_cast<std::size_t>(fd);
  try {
    auto watch = std::make_unique<Watch>(fd);
    if (number >= watches_.size()) watches_.resize(number + 1);
    watches_[number] = std::move(watch);
    return watches_[number].get();
  } catch (const std::bad_alloc&) {
    error = -ENOMEM;
    return nullptr;
  }
}

void ReadinessBackend::renew(int fd, int error) noexcept {
  if (Watch* watch = find(fd)) renew(*watch, error);  // else never heard of
}

void ReadinessBackend::renew(Watch& watch, int error) noexcept {
  disarm(watch);
  while (!watch.reading.waiting.empty()) finish(watch.reading.waiting.pop_front(), error);
  while (!watch.writing.waiting.empty()) finish(watch.writing.waiting.pop_front(), error);
  forget_state(watch);
  watch.lent = watch.registered = false;
}

void ReadinessBackend::forget_state(Watch& watch) noexcept {
  for (Side* side : {&watch.reading, &watch.writing}) side->blocked = side->armed = false;
  watch.shorts_deceive = watch.examined = false;
  ++watch.generation;
}

}  // namespace asyncio::detail
