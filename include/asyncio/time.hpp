// SPDX-License-Identifier: BSL-1.0
/// Durations and points in time of an event loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace asyncio {

using Clock = std::chrono::steady_clock;
/// A reading of EventLoop::time(). On the simulated backend the clock is virtual. There are no
/// deadlines by the wall clock, which may jump: whoever waits for a time of day sleeps for what is
/// left of it, at most a second at a time.
using TimePoint = std::chrono::time_point<Clock, std::chrono::nanoseconds>;

namespace detail {
[[noreturn]] void throw_not_a_number();
}

/// How long to wait: any std::chrono duration, without overflow at either end. What does not fit
/// (`hours::max()`, an infinite number of seconds) means never, or immediately if negative.
class Delay {
 public:
  /// Throws   ValueError for a duration that is not a number.
  template <class Rep, class Period>
  constexpr Delay(std::chrono::duration<Rep, Period> duration) : ns_(convert(duration)) {}

  /// Refuses a bare number.
  template <class N>
    requires std::is_arithmetic_v<N>
  constexpr Delay(N) : ns_(0) {
    static_assert(!std::is_arithmetic_v<N>,
                  "a duration has a unit: 5s, 100ms, std::chrono::hours(1)");
  }

  static constexpr Delay never() { return Delay(std::chrono::nanoseconds::max()); }

  constexpr std::int64_t nanoseconds() const noexcept { return ns_; }
  constexpr std::chrono::nanoseconds duration() const noexcept {
    return std::chrono::nanoseconds(ns_);
  }
  constexpr bool positive() const noexcept { return ns_ > 0; }

 private:
  using Limits = std::numeric_limits<std::int64_t>;
  __extension__ using Wide = __int128;

  template <class Rep, class Period>
  static constexpr std::int64_t convert(std::chrono::duration<Rep, Period> duration) {
    long double ns = static_cast<long double>(duration.count()) * 1e9L *
                     static_cast<long double>(Period::num) / static_cast<long double>(Period::den);
    if (ns != ns) detail::throw_not_a_number();
    if (ns >= 9.2e18L) return Limits::max();
    if (ns <= -9.2e18L) return Limits::min();
    // Rounded up: a timer is never early.
    if constexpr (std::is_integral_v<Rep>) {
      Wide exact = static_cast<Wide>(duration.count()) * Period::num * 1'000'000'000;
      Wide whole = exact / Period::den;
      return static_cast<std::int64_t>(whole + (whole * Period::den < exact));
    } else {
      auto whole = static_cast<std::int64_t>(ns);
      return whole + (static_cast<long double>(whole) < ns);
    }
  }

  std::int64_t ns_;
};

/// A timeout: a Delay, or nullopt for none.
using OptionalDelay = std::optional<Delay>;

namespace detail {

/// `start + delay` in nanoseconds, saturating.
constexpr std::int64_t deadline_after(std::int64_t start, Delay delay) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(start, delay.nanoseconds(), &sum))
    return delay.positive() ? std::numeric_limits<std::int64_t>::max()
                            : std::numeric_limits<std::int64_t>::min();
  return sum;
}

}  // namespace detail

}  // namespace asyncio
