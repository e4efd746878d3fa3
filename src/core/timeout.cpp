// SPDX-License-Identifier: BSL-1.0
#include "asyncio/timeout.hpp"

#include "asyncio/detail/core/loop.hpp"

#include <chrono>
#include <sstream>
#include <string>

namespace asyncio {

using namespace std::chrono_literals;

Timeout::Timeout(std::optional<TimePoint> when) noexcept : Timer(&Timeout::expire), when_(when) {}

Timeout::~Timeout() { disarm(); }

Timeout timeout(OptionalDelay delay) {
  if (!delay) return Timeout(std::nullopt);
  std::int64_t now = detail::running_loop().now_ns();
  return Timeout(TimePoint(std::chrono::nanoseconds(detail::deadline_after(now, *delay))));
}

Timeout timeout_at(std::optional<TimePoint> when) { return Timeout(when); }

Timeout& Timeout::aenter() {
  if (state_ != State::created) throw RuntimeError("Timeout has already been entered");
  detail::Loop* loop = detail::running_loop_or_null();
  if (!loop || !loop->current_task()) throw RuntimeError("Timeout should be used inside a task");
  task_ = detail::Ref<detail::TaskState>::share(loop->current_task());
  cancelling_ = task_->cancelling();
  state_ = State::entered;
  arm();
  return *this;
}

void Timeout::enter(detail::TaskState& task, OptionalDelay limit) {
  task_ = detail::Ref<detail::TaskState>::share(&task);
  cancelling_ = task.cancelling();
  state_ = State::entered;
  if (!limit) return;
  detail::Loop& loop = task.loop();
  std::int64_t when = detail::deadline_after(loop.now_ns(), *limit);
  when_ = TimePoint(std::chrono::nanoseconds(when));
  loop.arm(*this, when);
}

void Timeout::reschedule(std::optional<TimePoint> when) {
  switch (state_) {
    case State::entered:
      break;
    case State::created:
      throw RuntimeError("Timeout has not been entered");
    case State::expiring:
      throw RuntimeError("Cannot change state of expiring Timeout");
    case State::expired:
      throw RuntimeError("Cannot change state of expired Timeout");
    case State::exited:
      throw RuntimeError("Cannot change state of finished Timeout");
  }
  disarm();
  when_ = when;
  arm();
}

std::string Timeout::repr() const {
  const char* names[] = {"created", "active", "expiring", "expired", "finished"};
  std::string text = std::string("<Timeout [") + names[static_cast<int>(state_)] + "]";
  if (state_ == State::entered) {
    std::ostringstream seconds;
    if (when_)
      seconds << std::chrono::round<std::chrono::milliseconds>(*when_).time_since_epoch() / 1.0s;
    else
      seconds << "None";
    text += " when=" + seconds.str();
  }
  return text + ">";
}

void Timeout::arm() {
  if (!when_) return;
  detail::Loop& loop = task_->loop();
  std::int64_t when = when_->time_since_epoch().count();
  if (when <= loop.now_ns())
    loop.call_ready(*this);
  else
    loop.arm(*this, when);
}

void Timeout::disarm() noexcept {
  if (!task_) return;
  task_->loop().disarm(*this);
  Timer::unlink();
}

void Timeout::expire(detail::Ready& node) {
  auto& self = static_cast<Timeout&>(static_cast<detail::Timer&>(node));
  self.state_ = State::expiring;
  self.task_->cancel(nullptr);
}

bool Timeout::aexit(const std::exception_ptr& error) {
  disarm();
  if (state_ == State::expiring) {
    state_ = State::expired;
    bool only_ours = task_->uncancel() <= cancelling_;
    if (only_ours && error && detail::classify(error) == detail::ErrorKind::cancelled)
      throw TimeoutError({}, error);
  } else if (state_ == State::entered) {
    state_ = State::exited;
  }
  return false;
}

}  // namespace asyncio
