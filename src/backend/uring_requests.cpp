// SPDX-License-Identifier: BSL-1.0
// What UringBackend asks of the kernel, and what it does with the answers.
#include "asyncio/exceptions.hpp"
#include "uring_backend.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <new>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// While nobody asks for them, the kernel is to accept so many connections and then no more (R6).
constexpr std::size_t kTakenAtMost = 64;

SystemCall request_of(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::read:
      return SystemCall::file_read;
    case Opcode::write:
      return SystemCall::file_write;
    case Opcode::openat:
      return SystemCall::file_open;
    case Opcode::statx:
      return SystemCall::file_stat;
    default:
      return SystemCall::file_sync;
  }
}

void prepare(io_uring_sqe* sqe, const Operation& op) noexcept {
  // A request has 32 bits for its size; this is what read(2) and write(2) transfer at most.
  auto size = static_cast<unsigned>(std::min<std::size_t>(op.size, 0x7ffff000));
  auto offset = static_cast<std::uint64_t>(op.offset);
  int folder = op.other < 0 ? AT_FDCWD : op.other;
  const auto* path = static_cast<const char*>(op.buffer);
  switch (op.opcode) {
    case Opcode::read:
      return io_uring_prep_read(sqe, op.fd, op.buffer, size, offset);
    case Opcode::write:
      return io_uring_prep_write(sqe, op.fd, op.buffer, size, offset);
    case Opcode::openat:
      return io_uring_prep_openat(sqe, folder, path, op.flags | O_CLOEXEC,
                                  static_cast<mode_t>(op.size));
    case Opcode::statx:
      return io_uring_prep_statx(sqe, folder, path, op.flags, STATX_BASIC_STATS | STATX_BTIME,
                                 static_cast<struct statx*>(op.address));
    default:
      return io_uring_prep_fsync(sqe, op.fd, 0);
  }
}

/// It did nothing, and not for a reason of its own. Openat, for one, says so with the kernel's own
/// ERESTART numbers, which a system call turns into EINTR.
bool undone(const RingCompletion& completion) noexcept {
  return completion.result == -ECANCELED || completion.result == -EINTR ||
         (completion.result <= -512 && completion.result >= -516);
}

bool shows_more(const RingCompletion& completion) noexcept {
  return (completion.flags & IORING_CQE_F_MORE) != 0;
}

}  // namespace

bool UringBackend::is_request(const Operation& op) noexcept {
  switch (op.opcode) {
    case Opcode::read:
    case Opcode::write:
      return op.offset >= 0;
    case Opcode::openat:
    case Opcode::statx:
    case Opcode::fsync:
      return true;
    default:
      return false;
  }
}

bool UringBackend::knows(Opcode opcode) const noexcept { return ring_.knows(request_of(opcode)); }

// --- Requests ---------------------------------------------------------------------------------

/// Makes requests of all that is to be asked. False if there is no room for some of them.
bool UringBackend::fill() noexcept {
  // Cancels first: what they name has been submitted already, and an operation that is started
  // again has the name that it had.
  while (!cancels_.empty()) {
    io_uring_sqe* sqe = ring_.next();
    if (!sqe) return false;
    io_uring_prep_cancel64(sqe, cancels_.back(), 0);
    submit_as(sqe, Ring::kIgnored, SystemCall::ring_cancel);
    cancels_.pop_back();
  }
  if (stopping_) return true;
  while (!arming_.empty())
    if (!add_poll()) return false;
  while (!opening_.empty())
    if (!add_accept()) return false;
  while (!unsubmitted_.empty())
    if (!add_operation()) return false;
  return watching_wake_ || add_wake();
}

bool UringBackend::add_poll() noexcept {
  io_uring_sqe* sqe = ring_.next();
  if (!sqe) return false;
  Side& side = arming_.pop_front();
  io_uring_prep_poll_add(sqe, side.watch.fd, side.writing ? POLLOUT : POLLIN);
  ++outstanding_;
  submit_as(sqe, name_of(side), SystemCall::ring_poll);
  return true;
}

bool UringBackend::add_accept() noexcept {
  io_uring_sqe* sqe = ring_.next();
  if (!sqe) return false;
  Listener& listener = opening_.pop_front();
  io_uring_prep_multishot_accept(sqe, listener.watch.fd, nullptr, nullptr,
                                 SOCK_NONBLOCK | SOCK_CLOEXEC);
  ++outstanding_;
  submit_as(sqe, name_of(listener), SystemCall::ring_accept);
  return true;
}

bool UringBackend::add_operation() noexcept {
  io_uring_sqe* sqe = ring_.next();
  if (!sqe) return false;
  Operation& op = unsubmitted_.pop_front();
  prepare(sqe, op);
  op.submitted = true;
  in_flight_.push_back(op);
  ++outstanding_;
  submit_as(sqe, RequestName(op).value(), request_of(op.opcode));
  return true;
}

/// The event is never read: each write ends a poll, whatever it has counted to.
bool UringBackend::add_wake() noexcept {
  io_uring_sqe* sqe = ring_.next();
  if (!sqe) return false;
  io_uring_prep_poll_multishot(sqe, wake_.fd(), POLLIN);
  watching_wake_ = true;
  submit_as(sqe, RequestName(RequestName::wake).value(), SystemCall::ring_wake);
  return true;
}

void UringBackend::submit_as(io_uring_sqe* sqe, std::uint64_t request, SystemCall call) noexcept {
  sqe->user_data = request;
  if (!gate().faults()) return;
  Fault fault = gate().faults()->before(call);
  if (fault.once && call == SystemCall::ring_accept) sqe->ioprio = 0;
  if (fault.once && call == SystemCall::ring_wake) sqe->len = 0;
  if (call == SystemCall::file_read || call == SystemCall::file_write)
    sqe->len = static_cast<unsigned>(std::min<std::size_t>(sqe->len, fault.most));
  if (!fault.error) return;
  io_uring_prep_nop(sqe);
  sqe->user_data = request;
  forced_.push_back({request, -fault.error, 0});
}

std::uint64_t UringBackend::name_of(const Side& side) noexcept {
  return RequestName(RequestName::poll, side.watch.fd, side.watch.generation, side.writing).value();
}

std::uint64_t UringBackend::name_of(const Listener& listener) noexcept {
  return RequestName(RequestName::accept, listener.watch.fd, listener.watch.generation).value();
}

/// Always true.
bool UringBackend::cancel_request(std::uint64_t request) noexcept {
  while (cancels_.size() == cancels_.capacity()) flush();
  cancels_.push_back(request);
  return true;
}

/// Takes back what is still in the ring, because the kernel had no memory for it.
bool UringBackend::take_back(std::uint64_t request) noexcept {
  if (!ring_.withdraw(request)) return false;
  --outstanding_;
  std::erase_if(forced_, [&](const RingCompletion& forced) { return forced.request == request; });
  return true;
}

/// Submits all that is to be asked. Returns 0 or the negative error number.
int UringBackend::flush() noexcept {
  bool all = false;
  int error = 0;
  do {
    all = fill();
    error = ring_.submit();
  } while (!all && error > 0);
  return std::min(error, 0);
}

// --- Completions ------------------------------------------------------------------------------

unsigned UringBackend::reap() noexcept {
  if (std::exchange(reaping_, true)) return 0;
  unsigned count = 0;
  if (!gate().faults()) {
    count = ring_.reap([this](const RingCompletion& completion) { completed(completion); });
  } else {
    std::vector<RingCompletion> batch;
    ring_.reap([&](const RingCompletion& completion) { batch.push_back(as_forced(completion)); });
    gate().faults()->arrange(batch);
    for (const RingCompletion& completion : batch) completed(completion);
    count = static_cast<unsigned>(batch.size());
  }
  reaping_ = false;
  return count;
}

RingCompletion UringBackend::as_forced(const RingCompletion& completion) noexcept {
  auto found = std::find_if(forced_.begin(), forced_.end(), [&](const RingCompletion& forced) {
    return forced.request == completion.request;
  });
  if (found == forced_.end()) return completion;
  RingCompletion forced = *found;
  forced_.erase(found);
  return forced;
}

void UringBackend::completed(const RingCompletion& completion) noexcept {
  if (completion.request == Ring::kIgnored) return;
  switch (RequestName(completion.request).kind()) {
    case RequestName::operation:
      return operation_completed(completion);
    case RequestName::poll:
      return poll_completed(completion);
    case RequestName::accept:
      return accept_completed(completion);
    case RequestName::wake:
      if (!shows_more(completion)) watching_wake_ = false;
  }
}

void UringBackend::poll_completed(const RingCompletion& completion) noexcept {
  --outstanding_;
  RequestName name(completion.request);
  Watch* watch = find(name.fd());
  if (!watch || !name.is_of(watch->generation)) return;
  Side& side = name.writing() ? watch->writing : watch->reading;
  side.armed = false;
  if (completion.result >= 0)
    serve(side);
  else if (!undone(completion))
    while (!side.waiting.empty()) finish(side.waiting.pop_front(), completion.result);
  if (!side.waiting.empty()) arm(side);
}

void UringBackend::operation_completed(const RingCompletion& completion) noexcept {
  --outstanding_;
  Operation& op = RequestName(completion.request).op();
  bool cancelled = op.cancelled;
  requeue(op);
  if (undone(completion) && !cancelled) return;  // not by our will: once more
  op.unlink();
  operation_ended(op);
  if (op.opcode == Opcode::openat && completion.result >= 0) renew(completion.result, -EBADF);
  finish(op, undone(completion) ? -ECANCELED : completion.result);
}

/// The kernel has it no longer.
void UringBackend::requeue(Operation& op) noexcept {
  op.unlink();
  op.submitted = op.cancelled = false;
  unsubmitted_.push_back(op);
}

void UringBackend::operation_ended(Operation& op) noexcept {
  if (Watch* watch = find(op.fd); watch && watch->requests > 0) --watch->requests;
}

// --- Descriptors ------------------------------------------------------------------------------

int UringBackend::arm(Side& side) noexcept {
  if (closed_) return -EBADF;
  if (std::exchange(side.armed, true)) return 0;
  arming_.push_back(side);
  return 0;
}

/// What has to be cancelled is cancelled at once: until then the kernel holds the descriptor open.
void UringBackend::disarm(Watch& watch) noexcept {
  bool asked = drop_listener(watch.fd);
  for (Side* side : {&watch.reading, &watch.writing}) {
    if (side->linked())
      side->unlink();
    else if (side->armed && !take_back(name_of(*side)))
      asked |= cancel_request(name_of(*side));
  }
  if (watch.requests > 0) asked |= cancel_operations_on(watch.fd);
  if (!asked) return;
  ++watch.generation;
  flush();
  reap();
}

bool UringBackend::cancel_operations_on(int fd) noexcept {
  for (List<Operation>* list : {&unsubmitted_, &in_flight_})
    for (auto it = list->begin(); it != list->end();) {
      Operation& op = *it;
      ++it;
      if (op.fd == fd) cancel(op);
    }
  return !cancels_.empty();
}

// --- Listeners --------------------------------------------------------------------------------

bool UringBackend::start_accept(Operation& op) noexcept {
  if (closed_) return ended_at_once(op, -EBADF);
  int error = 0;
  Watch* watch = remember(op.fd, error);
  if (!watch) return ended_at_once(op, error);
  Listener* listener = nullptr;
  try {
    listener = &listeners_.try_emplace(op.fd, *watch).first->second;
  } catch (const std::bad_alloc&) {
    return ended_at_once(op, -ENOMEM);
  }
  if (!listener->taken.empty()) return ended_at_once(op, take_accepted(*listener, op));
  op.phase = Operation::Phase::waiting;
  watch->reading.waiting.push_back(op);
  arm(*listener);
  return false;
}

std::int64_t UringBackend::take_accepted(Listener& listener, Operation& op) noexcept {
  std::int64_t result = listener.taken.front();
  listener.taken.pop_front();
  if (result >= 0 && op.address) {
    auto* address = static_cast<sockaddr*>(op.address);
    if (getpeername(static_cast<int>(result), address, op.address_size) < 0) {
      address->sa_family = AF_UNSPEC;  // it was reset meanwhile
      op.address_size = sizeof address->sa_family;
    }
  }
  return result;
}

UringBackend::Listener* UringBackend::find_listener(int fd) noexcept {
  if (listeners_.empty()) return nullptr;
  auto found = listeners_.find(fd);
  return found == listeners_.end() ? nullptr : &found->second;
}

void UringBackend::arm(Listener& listener) noexcept {
  if (std::exchange(listener.armed, true)) return;
  opening_.push_back(listener);
}

void UringBackend::accept_completed(const RingCompletion& completion) noexcept {
  bool last = !shows_more(completion);
  if (last) --outstanding_;
  RequestName name(completion.request);
  Listener* listener = find_listener(name.fd());
  if (!listener || !name.is_of(listener->watch.generation)) {
    if (completion.result >= 0) ::close(completion.result);
    return;
  }
  if (last) listener->armed = listener->cancelled = false;
  if (!undone(completion)) accepted(*listener, completion.result);
  bool waited_for = !listener->watch.reading.waiting.empty();
  if (!listener->armed && waited_for) arm(*listener);
  if (listener->armed && !listener->cancelled && listener->taken.size() >= kTakenAtMost) {
    listener->cancelled = true;
    cancel_request(name_of(*listener));
  }
}

/// A connection, or an error, for who waits, or for the next one who asks.
void UringBackend::accepted(Listener& listener, int result) noexcept {
  if (result >= 0) renew(result, -EBADF);
  try {
    listener.taken.push_back(result);
  } catch (const std::bad_alloc&) {
    if (result >= 0) ::close(result);
    return;
  }
  List<Operation>& waiting = listener.watch.reading.waiting;
  if (waiting.empty() || waiting.front().opcode != Opcode::accept) return;
  Operation& op = waiting.pop_front();
  finish(op, take_accepted(listener, op));
}

/// Returns whether something was asked of the kernel.
bool UringBackend::drop_listener(int fd) noexcept {
  Listener* listener = find_listener(fd);
  if (!listener) return false;
  for (int taken : listener->taken)
    if (taken >= 0) ::close(taken);
  bool asked = false;
  if (listener->linked())
    listener->unlink();
  else if (listener->armed && !take_back(name_of(*listener)))
    asked = listener->cancelled || cancel_request(name_of(*listener));
  listeners_.erase(fd);
  return asked;
}

}  // namespace asyncio::detail
