// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/exceptions.hpp"

#include "descriptor.hpp"
#include "wake_event.hpp"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <sys/epoll.h>

namespace asyncio::detail {

namespace {

class EpollPoller final : public Poller {
 public:
  EpollPoller() : epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.fd(), &event), "epoll_ctl");
  }

  std::string_view name() const noexcept override { return "epoll"; }
  TimePoint now() noexcept override { return Clock::now(); }

  void wake() noexcept override { wake_.set(); }
  void close() noexcept override {
    wake_.close();
    epoll_.reset();
  }

  void poll(TimePoint deadline) override {
    constexpr int kEvents = 256;
    epoll_event events[kEvents];
    timespec timeout{};
    int count = ::epoll_pwait2(epoll_.get(), events, kEvents, until(deadline, timeout), nullptr);
    if (count < 0 && errno != EINTR) throw_os_error(errno, "epoll_pwait2");
    for (int i = 0; i < count; ++i)
      if (!events[i].data.ptr) wake_.clear();
  }

 private:
  /// The time left as epoll wants it: null for ever.
  timespec* until(TimePoint deadline, timespec& timeout) noexcept {
    if (deadline == TimePoint::max()) return nullptr;
    if (deadline == TimePoint::min()) return &timeout;
    auto left = std::max(deadline - now(), TimePoint::duration::zero());
    auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    timeout.tv_sec = seconds.count();
    timeout.tv_nsec = (left - seconds).count();
    return &timeout;
  }

  Descriptor epoll_;
  WakeEvent wake_;
};

}  // namespace

std::unique_ptr<Poller> make_epoll_backend() { return std::make_unique<EpollPoller>(); }

}  // namespace asyncio::detail
