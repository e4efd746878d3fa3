// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "descriptor.hpp"
#include "readiness_backend.hpp"
#include "wake_event.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <limits>
#include <sys/epoll.h>

namespace asyncio::detail {

namespace {

constexpr std::uint32_t kInterest =
    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | static_cast<std::uint32_t>(EPOLLET);
constexpr std::uint32_t kEventful = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kReadEvents = EPOLLIN | kEventful;
constexpr std::uint32_t kWriteEvents = EPOLLOUT | EPOLLHUP | EPOLLERR;
constexpr std::uint64_t kWakeToken = ~std::uint64_t{0};

std::uint64_t token_of(int fd, std::uint32_t generation) noexcept {
  return std::uint64_t{generation} << 32 | static_cast<std::uint32_t>(fd);
}

/// A descriptor is registered with epoll when an operation has to wait for the first time, for both
/// directions and edge-triggered, and stays so: a steady connection costs no epoll_ctl. One that is
/// lent gives a single event, after which it is parked, and costs an epoll_ctl for each wait.
class EpollBackend final : public ReadinessBackend {
 public:
  explicit EpollBackend(FaultLayer* faults)
      : ReadinessBackend(faults),
        epoll_(checked(
            gate().call(SystemCall::epoll_create, [] { return ::epoll_create1(EPOLL_CLOEXEC); }),
            "epoll_create1")),
        wake_(gate()) {
    checked(control(EPOLL_CTL_ADD, wake_.fd(), EPOLLIN, kWakeToken), "epoll_ctl");
  }

  std::string_view name() const noexcept override { return "epoll"; }

  int wake() noexcept override { return wake_.set(); }
  void close() noexcept override {
    close_resources();
    wake_.close();
    epoll_.reset();
  }

  void poll(TimePoint deadline) override {
    constexpr int kEvents = 256;
    epoll_event events[kEvents];
    int count = wait(events, kEvents, end_late(deadline));
    if (count < 0 && count != -EINTR) throw_os_error(-count, "epoll_wait");
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeToken)
        wake_.clear();
      else
        dispatch(events[i].data.u64, events[i].events);
    }
  }

 private:
  int arm(Side& side) noexcept override {
    Watch& watch = side.watch;
    if (side.armed) return 0;
    std::uint32_t interest = kInterest;
    if (watch.lent) {
      // Only what is waited for: another event would use up the one that there is.
      bool reads = &side == &watch.reading || watch.reading.armed;
      bool writes = &side == &watch.writing || watch.writing.armed;
      interest = (reads ? kReadEvents : 0) | (writes ? kWriteEvents : 0) | EPOLLONESHOT;
    }
    std::uint64_t token = token_of(watch.fd, watch.generation);
    int made = control(watch.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch.fd, interest, token);
    // The one that was registered has been closed; or a copy of an earlier descriptor has kept its
    // registration alive, which becomes ours.
    if (made == -ENOENT) made = control(EPOLL_CTL_ADD, watch.fd, interest, token);
    if (made == -EEXIST) made = control(EPOLL_CTL_MOD, watch.fd, interest, token);
    if (made < 0) return made;
    watch.registered = side.armed = true;
    if (!watch.lent) watch.reading.armed = watch.writing.armed = true;
    return 0;
  }

  /// By hand, since a copy of the descriptor in a child process keeps the registration.
  void disarm(Watch& watch) noexcept override {
    if (watch.registered) control(EPOLL_CTL_DEL, watch.fd, 0, 0);
  }

  int control(int what, int fd, std::uint32_t events, std::uint64_t token) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.u64 = token;
    return static_cast<int>(gate().call(
        SystemCall::epoll_ctl, [&] { return ::epoll_ctl(epoll_.get(), what, fd, &event); }));
  }

  void dispatch(std::uint64_t token, std::uint32_t events) noexcept {
    Watch* watch = find(static_cast<int>(static_cast<std::uint32_t>(token)));
    if (!watch || watch->generation != static_cast<std::uint32_t>(token >> 32)) return;
    if (events & kEventful) watch->shorts_deceive = true;
    if (watch->lent) watch->reading.armed = watch->writing.armed = false;
    if (events & kReadEvents) serve(watch->reading);
    if (events & kWriteEvents) serve(watch->writing);
    if (watch->lent) go_on_waiting(*watch);
  }

  /// What the one event of a lent descriptor was not for.
  void go_on_waiting(Watch& watch) noexcept {
    for (Side* side : {&watch.reading, &watch.writing}) {
      if (side->waiting.empty()) continue;
      if (int error = arm(*side)) return renew(watch, error);
    }
  }

  /// The number of events, or a negative error number.
  int wait(epoll_event* events, int size, TimePoint deadline) noexcept {
    return static_cast<int>(
        gate().call(SystemCall::epoll_wait, [&] { return system_wait(events, size, deadline); }));
  }

  int system_wait(epoll_event* events, int size, TimePoint deadline) noexcept {
    if (nanoseconds_) {
      timespec timeout{};
      int count = ::epoll_pwait2(epoll_.get(), events, size, until(deadline, timeout), nullptr);
      if (count >= 0 || errno != ENOSYS) return count;
      nanoseconds_ = false;  // a kernel before Linux 5.11, valgrind, some sandboxes
    }
    return ::epoll_wait(epoll_.get(), events, size, until(deadline));
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
    auto wait = left(deadline);
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(wait);
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (wait - seconds).count();
    return &timeout;
  }

  Descriptor epoll_;
  WakeEvent wake_;
  bool nanoseconds_ = true;  // epoll_pwait2 exists
};

}  // namespace

std::unique_ptr<Backend> make_epoll_backend(FaultLayer* faults) {
  return std::make_unique<EpollBackend>(faults);
}

}  // namespace asyncio::detail
