// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/exceptions.hpp"
#include "descriptor.hpp"
#include "system_backend.hpp"
#include "wake_event.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <deque>
#include <fcntl.h>
#include <limits>
#include <new>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

namespace asyncio::detail {

namespace {

/// One direction of a descriptor.
struct Side {
  List<Operation> waiting;
  /// Nothing can be read (or written) until epoll reports an edge. Known for streams only.
  bool blocked = false;
};

/// What is known about a descriptor number. It is registered with epoll when an operation has to
/// wait for the first time, for both directions and edge-triggered, and stays so: a steady
/// connection costs no epoll_ctl.
struct Watch {
  Side reading;
  Side writing;
  std::uint32_t generation = 0;  // tells events of an earlier descriptor with this number
  bool registered = false;
  /// An end, an error or urgent data was reported. Such an edge may have come together with that of
  /// the data before it, so a short read no longer means that nothing is left.
  bool eventful = false;
};

constexpr std::uint32_t kInterest =
    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | static_cast<std::uint32_t>(EPOLLET);
constexpr std::uint32_t kEventful = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kReadEvents = EPOLLIN | kEventful;
constexpr std::uint32_t kWriteEvents = EPOLLOUT | EPOLLHUP | EPOLLERR;
constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};

std::uint64_t token_of(int fd, std::uint32_t generation) noexcept {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

bool is_poll(Opcode opcode) noexcept {
  return opcode == Opcode::poll_readable || opcode == Opcode::poll_writable;
}

/// Asks the system whether a descriptor is ready for a poll operation.
std::int64_t poll_once(const Operation& op) noexcept {
  pollfd asked{op.fd, static_cast<short>(waits_for_write(op.opcode) ? POLLOUT : POLLIN), 0};
  int count = 0;
  do {
    count = ::poll(&asked, 1, 0);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  if (asked.revents & POLLNVAL) return -EBADF;
  return count > 0 ? 1 : -EAGAIN;
}

std::int64_t connect_outcome(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) return -errno;
  return -error;
}

bool would_wait(std::int64_t result) noexcept {
  return result == -EAGAIN || result == -EINPROGRESS;
}

class EpollBackend final : public SystemBackend {
 public:
  EpollBackend() : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kWakeToken;
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.fd(), &event), "epoll_ctl");
  }

  std::string_view name() const noexcept override { return "epoll"; }
  TimePoint now() noexcept override { return Clock::now(); }

  void wake() noexcept override { wake_.set(); }
  void close() noexcept override {
    close_resources();
    wake_.close();
    epoll_.reset();
  }

  void poll(TimePoint deadline) override {
    constexpr int kEvents = 256;
    epoll_event events[kEvents];
    int count = wait(events, kEvents, deadline);
    if (count < 0 && errno != EINTR) throw_os_error(errno, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeToken)
        wake_.clear();
      else
        dispatch(events[i].data.u64, events[i].events);
    }
  }

  bool supports(Opcode opcode) const noexcept override {
    switch (opcode) {
      case Opcode::splice:
      case Opcode::openat:
      case Opcode::statx:
      case Opcode::fsync:
        return false;
      default:
        return true;
    }
  }

  bool start(Operation& op) noexcept override {
    Watch* watch = watch_of(op.fd);
    if (!watch) return ended_at_once(op, -ENOMEM);
    Side& side = side_of(*watch, op);
    if (side.waiting.empty()) {
      std::int64_t result = attempt(op);
      if (!would_wait(result)) return ended_at_once(op, result);
    }
    if (int error = register_once(op.fd, *watch)) return ended_at_once(op, error);
    op.phase = Operation::Phase::waiting;
    side.waiting.push_back(op);
    return false;
  }

  std::int64_t attempt(Operation& op) noexcept override {
    if (op.opcode == Opcode::close) return close_fd(op.fd);
    if (is_poll(op.opcode) && !op.stream) return poll_once(op);
    Watch* watch = watch_of(op.fd);
    if (!watch) return -ENOMEM;
    Side& side = side_of(*watch, op);
    if (is_poll(op.opcode)) return side.blocked ? -EAGAIN : 1;
    return perform_and_note(op, *watch, side);
  }

  void cancel(Operation& op) noexcept override {
    if (op.phase != Operation::Phase::waiting) return;
    op.unlink();
    finish(op, -ECANCELED);
  }

  void forget(Operation& op) noexcept override {
    op.unlink();  // from the waiting ones, or from the ready queue
    if (op.phase == Operation::Phase::waiting) op.phase = Operation::Phase::idle;
  }

  int socket(int family, int type, int protocol) noexcept override {
    int fd = SystemBackend::socket(family, type, protocol);
    if (fd >= 0) renew(fd, -EBADF);
    return fd;
  }

  int adopt(int fd) noexcept override {
    int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
    renew(fd, -EBADF);
    return 0;
  }

  int close_fd(int fd) noexcept override {
    if (fd < 0) return -EBADF;
    // Removed by hand, since a copy of the descriptor in a child process keeps the registration.
    Watch* watch = watch_of(fd);
    if (watch && watch->registered) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    renew(fd, -ECANCELED);
    return ::close(fd) < 0 ? -errno : 0;  // never retried
  }

 private:
  /// Null if there is no memory for it.
  Watch* watch_of(int fd) noexcept {
    auto index = static_cast<std::size_t>(fd < 0 ? 0 : fd);
    try {
      while (index >= watches_.size()) watches_.emplace_back();
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    return &watches_[index];
  }

  static Side& side_of(Watch& watch, const Operation& op) noexcept {
    return waits_for_write(op.opcode) ? watch.writing : watch.reading;
  }

  static bool ended_at_once(Operation& op, std::int64_t result) noexcept {
    op.phase = Operation::Phase::ended;
    op.result = result;
    return true;
  }

  std::int64_t perform_and_note(Operation& op, const Watch& watch, Side& side) noexcept {
    std::int64_t result = perform(op);
    if (op.stream) {
      bool short_read = op.opcode == Opcode::recv && result > 0 &&
                        result < static_cast<std::int64_t>(op.size) && !watch.eventful;
      side.blocked = result == -EAGAIN || short_read;
    }
    if (op.opcode == Opcode::accept && result >= 0) renew(static_cast<int>(result), -EBADF);
    return result;
  }

  int register_once(int fd, Watch& watch) noexcept {
    if (watch.registered) return 0;
    epoll_event event{};
    event.events = kInterest;
    event.data.u64 = token_of(fd, watch.generation);
    int made = ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
    // A registration that a copy of an earlier descriptor has kept alive: it becomes ours.
    if (made < 0 && errno == EEXIST) made = ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
    if (made < 0) return -errno;
    watch.registered = true;
    return 0;
  }

  /// Forgets all about a number: it names another descriptor from now on, or none.
  void renew(int fd, int error) noexcept {
    if (static_cast<std::size_t>(fd) >= watches_.size()) return;  // never heard of
    Watch& watch = watches_[static_cast<std::size_t>(fd)];
    while (!watch.reading.waiting.empty()) finish(watch.reading.waiting.pop_front(), error);
    while (!watch.writing.waiting.empty()) finish(watch.writing.waiting.pop_front(), error);
    watch.reading.blocked = watch.writing.blocked = false;
    watch.registered = watch.eventful = false;
    ++watch.generation;
  }

  void dispatch(std::uint64_t token, std::uint32_t events) noexcept {
    Watch& watch = watches_[static_cast<std::uint32_t>(token)];
    if (watch.generation != static_cast<std::uint32_t>(token >> 32)) return;
    if (events & kEventful) watch.eventful = true;
    if (events & kReadEvents) serve(watch, watch.reading);
    if (events & kWriteEvents) serve(watch, watch.writing);
  }

  /// An edge has come: ends what can be done now, in order.
  void serve(Watch& watch, Side& side) noexcept {
    side.blocked = false;
    while (!side.waiting.empty()) {
      Operation& op = side.waiting.front();
      std::int64_t result = 1;
      if (op.opcode == Opcode::connect)
        result = connect_outcome(op.fd);
      else if (!is_poll(op.opcode))
        result = perform_and_note(op, watch, side);
      if (result == -EAGAIN) return;
      op.unlink();
      finish(op, result);
    }
  }

  int wait(epoll_event* events, int size, TimePoint deadline) noexcept {
    if (nanoseconds_) {
      timespec timeout{};
      int count = ::epoll_pwait2(epoll_.get(), events, size, until(deadline, timeout), nullptr);
      if (count >= 0 || errno != ENOSYS) return count;
      nanoseconds_ = false;  // a kernel before Linux 5.11, valgrind, some sandboxes
    }
    return ::epoll_wait(epoll_.get(), events, size, until(deadline));
  }

  std::chrono::nanoseconds left(TimePoint deadline) noexcept {
    if (deadline == TimePoint::min()) return {};
    return std::max(deadline - now(), TimePoint::duration::zero());
  }

  /// The time left as epoll_wait wants it: -1 for ever. Rounded up, or the loop would spin.
  int until(TimePoint deadline) noexcept {
    if (deadline == TimePoint::max()) return -1;
    auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left(deadline)).count();
    return static_cast<int>(std::min<std::int64_t>(milliseconds, std::numeric_limits<int>::max()));
  }

  /// The same for epoll_pwait2: null for ever.
  timespec* until(TimePoint deadline, timespec& timeout) noexcept {
    if (deadline == TimePoint::max()) return nullptr;
    auto left = this->left(deadline);
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (left - seconds).count();
    return &timeout;
  }

  Descriptor epoll_;
  WakeEvent wake_;
  bool nanoseconds_ = true;    // epoll_pwait2 exists
  std::deque<Watch> watches_;  // by number; a deque, since the lists in it must stay put
};

}  // namespace

std::unique_ptr<Backend> make_epoll_backend() { return std::make_unique<EpollBackend>(); }

}  // namespace asyncio::detail
