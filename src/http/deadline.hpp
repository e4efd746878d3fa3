// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace asyncio::http::detail {

/// A deadline that is moved far more often than it is reached: setting it is an assignment. The one
/// timer looks when it fires whether it has to wait on.
class Deadline {
 public:
  Deadline(EventLoop loop, std::function<void()> expired)
      : loop_(std::move(loop)), expired_(std::move(expired)) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    if (timer_) timer_->cancel();
  }

  void set(Delay delay) {
    if (delay.nanoseconds() == Delay::never().nanoseconds()) return clear();
    when_ = TimePoint(std::chrono::nanoseconds(
        asyncio::detail::deadline_after(loop_.time().time_since_epoch().count(), delay)));
    if (timer_ && timer_->when() <= *when_) return;
    if (timer_) timer_->cancel();
    arm();
  }
  void clear() noexcept { when_.reset(); }

 private:
  void arm() {
    timer_ = loop_.call_at(*when_, [this] { fire(); });
  }
  void fire() {
    timer_.reset();
    if (!when_) return;
    if (loop_.time() < *when_) return arm();
    when_.reset();
    expired_();
  }

  EventLoop loop_;
  std::function<void()> expired_;
  std::optional<TimePoint> when_;
  std::optional<TimerHandle> timer_;
};

/// A deadline for as long as it lives, however that ends.
class DeadlineScope {
 public:
  DeadlineScope(Deadline& deadline, Delay delay) : deadline_(deadline) { deadline_.set(delay); }
  ~DeadlineScope() { deadline_.clear(); }
  DeadlineScope(const DeadlineScope&) = delete;
  DeadlineScope& operator=(const DeadlineScope&) = delete;

 private:
  Deadline& deadline_;
};

}  // namespace asyncio::http::detail
