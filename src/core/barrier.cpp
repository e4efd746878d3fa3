// SPDX-License-Identifier: BSL-1.0
#include "asyncio/sync.hpp"

namespace asyncio {

/// A task's stay in the barrier, which may be destroyed before it.
class Barrier::Arrival : public detail::Links {
 public:
  explicit Arrival(Barrier& barrier) noexcept : position(barrier.count_++), barrier_(barrier) {
    barrier.arrivals_.push_back(*this);
  }
  ~Arrival() {
    if (!linked()) return;
    unlink();
    barrier_.leave();
  }
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  const int position;

 private:
  Barrier& barrier_;
};

Barrier::Barrier(int parties) : parties_(parties) {
  if (parties < 1) throw ValueError("parties must be >= 1");
}

Barrier::~Barrier() {
  while (!arrivals_.empty()) arrivals_.pop_front();
}

Coro<int> Barrier::wait_in(Barrier* barrier) {
  Condition& condition = barrier->condition_;
  State& state = barrier->state_;
  auto held = co_await condition.scoped();
  while (state == State::draining || state == State::resetting) co_await condition.wait();
  if (state == State::broken) throw BrokenBarrierError("Barrier aborted");
  Arrival arrival(*barrier);
  if (arrival.position + 1 == barrier->parties_) {
    state = State::draining;
    condition.notify_all();
  } else {
    while (state == State::filling) co_await condition.wait();
    if (state == State::broken || state == State::resetting)
      throw BrokenBarrierError("Abort or reset of barrier");
  }
  co_return arrival.position;
}

void Barrier::leave() noexcept {
  if (--count_ > 0) return;
  if (state_ == State::resetting || state_ == State::draining) state_ = State::filling;
  condition_.wake_all();
}

Coro<> Barrier::reset_in(Barrier* barrier) {
  auto held = co_await barrier->condition_.scoped();
  barrier->state_ = barrier->count_ > 0 ? State::resetting : State::filling;
  barrier->condition_.notify_all();
}

Coro<> Barrier::abort_in(Barrier* barrier) {
  auto held = co_await barrier->condition_.scoped();
  barrier->state_ = State::broken;
  barrier->condition_.notify_all();
}

}  // namespace asyncio
