// SPDX-License-Identifier: BSL-1.0
/// Tests without waiting: an event loop whose clock is virtual and whose sockets are in memory.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/testing/seed_under_way.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/runner.hpp"
#include "asyncio/time.hpp"

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace asyncio::testing {

/// What decides, together with the program, everything that happens on a simulated loop.
class Seed {
 public:
  explicit constexpr Seed(std::uint64_t number) noexcept : number_(number) {}

  constexpr std::uint64_t number() const noexcept { return number_; }

 private:
  std::uint64_t number_;
};

/// A loop without an operating system.
///
/// Its clock begins at zero and, when nothing is ready, jumps to the next deadline; while a thread
/// works for the loop it follows real time. Connections between tasks of the loop are in memory:
/// every address can be listened on and reached, and "localhost" is 127.0.0.1.
///
/// The time of day, wall_time(), is 1 January 2030, 00:00 UTC, plus what the clock shows. By it
/// cookies expire, and responses and the access log are dated. Code in other threads, where no loop
/// runs, has the system's.
///
/// If nothing can ever happen again, running the loop throws RuntimeError, which names the waiting
/// tasks and what they wait for. Jobs of executors and signal handlers count as something that can
/// happen; a thread that the loop does not know has ten seconds to call call_soon_threadsafe.
///
/// With seed 0 things that happen at the same time happen in the order of their making. Any other
/// seed decides the order of what happens on the network, and that of tasks that are ready in the
/// same iteration; callbacks keep theirs, which asyncio promises. Every seed decides the random
/// bytes of HTTP: the masks and keys of WebSockets, the boundaries of forms, the names of sessions.
/// So the same program with the same seed does the same, and sends the same bytes at the same
/// times. That goes for what the loop alone decides: not for threads, real files and what the
/// program asks the system for by itself; nor for TLS, whose random numbers remain OpenSSL's and
/// decide even how long some of its messages are, and whose certificates expire by the real clock.
EventLoop new_simulated_event_loop(std::uint64_t seed = 0);

namespace detail {

inline RunOptions options(std::uint64_t seed) {
  RunOptions options;
  options.loop_factory([seed] { return new_simulated_event_loop(seed); });
  return options;
}

template <class F, class... Args>
asyncio::detail::coroutine_result_t<F, Args...> run_with(const RunOptions& options, F&& function,
                                                         Args&&... args) {
  asyncio::detail::refuse_running_loop(
      "run_simulated() cannot be called from a running event loop");
  Runner runner(options);
  using T = asyncio::detail::coroutine_result_t<F, Args...>;
  if constexpr (std::is_void_v<T>) {
    runner.run(std::forward<F>(function), std::forward<Args>(args)...);
    runner.close();
  } else {
    T result = runner.run(std::forward<F>(function), std::forward<Args>(args)...);
    runner.close();
    return static_cast<T&&>(result);
  }
}

}  // namespace detail

/// asyncio::run on a simulated loop. A seed other than 0 is named if the run ends with an
/// exception, in the log, or with the process, as by abort() or a sanitizer, on stderr.
template <class T>
T run_simulated(Coro<T> main, std::uint64_t seed = 0) {
  const detail::SeedUnderWay under_way(seed, detail::Replay::by_argument);
  return run(std::move(main), detail::options(seed));
}

/// The same for `function(args...)`, which live as long as the run.
template <class F, class... Args>
asyncio::detail::coroutine_result_t<F, Args...> run_simulated(Seed seed, F&& function,
                                                              Args&&... args) {
  const detail::SeedUnderWay under_way(seed.number(), detail::Replay::by_argument);
  return detail::run_with(detail::options(seed.number()), std::forward<F>(function),
                          std::forward<Args>(args)...);
}
template <class F, class... Args>
  requires(!is_coroutine_v<F> && !std::same_as<std::remove_cvref_t<F>, Seed>)
asyncio::detail::coroutine_result_t<F, Args...> run_simulated(F&& function, Args&&... args) {
  return run_simulated(Seed(0), std::forward<F>(function), std::forward<Args>(args)...);
}

/// Blocks the calling thread for `amount`, as code does that knows nothing of the loop: on a
/// simulated loop its clock moves on by as much, at once; anywhere else the thread sleeps.
void block_for(Delay amount);

}  // namespace asyncio::testing
