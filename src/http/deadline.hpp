// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <optional>

namespace asyncio::http::detail {

/// A deadline that is moved far more often than it is reached: setting it is an assignment. The one
/// timer looks when it fires whether it has to wait on.
class Deadline {
 public:
  /// What happens then.
  class Owner {
   public:
    virtual void expired() = 0;

   protected:
    ~Owner() = default;
  };

  Deadline(EventLoop loop, Owner& owner) : loop_(std::move(loop)), owner_(owner) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    if (timer_) timer_->cancel();
  }

  void set(Delay delay) {
    if (delay.nanoseconds() == Delay::never().nanoseconds()) return clear();
    set_at(after(delay));
  }
  /// Then, unless it is earlier already.
  void shorten(Delay delay) {
    if (const TimePoint when = after(delay); when < when_) set_at(when);
  }
  void clear() noexcept { when_ = kNever; }
  /// As `clear`; the timer goes, too: none is to be set for long.
  void stop() noexcept {
    clear();
    if (timer_) timer_->cancel();
    timer_.reset();
  }

 private:
  static constexpr TimePoint kNever = TimePoint::max();

  TimePoint after(Delay delay) const {
    return TimePoint(std::chrono::nanoseconds(
        asyncio::detail::deadline_after(loop_.time().time_since_epoch().count(), delay)));
  }
  void set_at(TimePoint when) {
    when_ = when;
    if (timer_ && timer_->when() <= when_) return;
    if (timer_) timer_->cancel();
    arm();
  }
  void arm() {
    timer_ = loop_.call_at(when_, [this] { fire(); });
  }
  void fire() {
    timer_.reset();
    if (when_ == kNever) return;
    if (loop_.time() < when_) return arm();
    when_ = kNever;
    owner_.expired();
  }

  EventLoop loop_;
  Owner& owner_;
  TimePoint when_ = kNever;
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
