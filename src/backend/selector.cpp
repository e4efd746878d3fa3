// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/selectors.hpp"
#include "readiness_backend.hpp"
#include "wake_event.hpp"

#include <utility>

namespace asyncio {

namespace detail {

namespace {

/// On a selector of the user's, who says again and again that a descriptor is ready. So a direction
/// is watched until it was ready and nobody waited: a steady connection costs no `modify`.
class SelectorBackend final : public ReadinessBackend {
 public:
  explicit SelectorBackend(std::unique_ptr<Selector> selector)
      : ReadinessBackend(nullptr), selector_(std::move(selector)), wake_(gate()) {
    if (int error = selector_->modify(wake_.fd(), EVENT_READ))
      throw_os_error(error, "selector of an event loop");
  }

  std::string_view name() const noexcept override {
    return selector_ ? selector_->name() : "selector";
  }

  int wake() noexcept override { return wake_.set(); }
  void close() noexcept override {
    close_resources();
    selector_->modify(wake_.fd(), 0);
    selector_.reset();
    wake_.close();
  }

  void poll(TimePoint deadline) override {
    TimePoint until = end_late(deadline);
    std::optional<std::chrono::nanoseconds> timeout;
    if (until != TimePoint::max()) timeout = left(until);
    for (auto [fd, events] : selector_->select(timeout)) {
      if (fd == wake_.fd())
        wake_.clear();
      else if (Watch* watch = fd < 0 ? nullptr : find(fd))
        dispatch(*watch, events);
    }
  }

 private:
  int arm(Side& side) noexcept override {
    side.armed = true;
    int error = tell(side.watch);
    if (error) side.armed = false;
    return error;
  }

  void disarm(Watch& watch) noexcept override {
    if (watch.registered) selector_->modify(watch.fd, 0);
  }

  void dispatch(Watch& watch, unsigned events) noexcept {
    bool changed = ready(watch.reading, events & EVENT_READ);
    changed |= ready(watch.writing, events & EVENT_WRITE);
    if (!changed) return;
    if (int error = tell(watch)) renew(watch, error);
  }

  /// Returns whether it is to be watched no more.
  bool ready(Side& side, bool is_ready) noexcept {
    if (!is_ready || !side.armed) return false;
    bool expected = !side.waiting.empty();
    serve(side);
    // What is lent may be closed unseen.
    if (!side.waiting.empty() || (expected && !side.watch.lent)) return false;
    side.armed = false;
    return true;
  }

  /// Returns 0 or the negative error number.
  int tell(Watch& watch) noexcept {
    unsigned events =
        (watch.reading.armed ? EVENT_READ : 0) | (watch.writing.armed ? EVENT_WRITE : 0);
    int error = selector_->modify(watch.fd, events);
    if (!error) watch.registered = events != 0;
    return -error;
  }

  std::unique_ptr<Selector> selector_;
  WakeEvent wake_;
};

}  // namespace

}  // namespace detail

EventLoop new_selector_event_loop(std::unique_ptr<Selector> selector) {
  if (!selector) throw ValueError("an event loop needs a selector");
  return detail::make_event_loop(std::make_unique<detail::SelectorBackend>(std::move(selector)));
}

}  // namespace asyncio
