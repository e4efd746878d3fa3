// SPDX-License-Identifier: BSL-1.0
/// staggered_race: attempts that start one after another until one succeeds.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/result.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"
#include "asyncio/wait.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// The outcome of staggered_race.
template <class T>
class StaggeredResult {
 public:
  /// The winner's value; empty if every attempt failed.
  std::optional<value_or_unit_t<T>> value;
  /// Which attempt won.
  std::optional<std::size_t> winner;
  /// The error of each attempt that was started; null for the winner and for cancelled ones.
  std::vector<std::exception_ptr> errors;
};

namespace detail {

template <class F>
using attempt_t = typename std::invoke_result_t<F&>::value_type;

/// As CPython's run_one_coro: a function that throws instead of returning a Coro is an attempt that
/// failed.
template <class F>
Coro<attempt_t<F>> run_attempt(F attempt) {
  co_return co_await attempt();
}

/// Cancels the attempts and waits until they have ended, however often the caller is cancelled.
template <class T>
Coro<void> end_attempts(std::vector<Task<T>>& attempts) {
  for (auto& attempt : attempts) attempt.cancel();
  std::exception_ptr interrupted;
  for (auto& attempt : attempts) {
    while (!attempt.done()) {
      std::vector<Task<T>> one(1, attempt);
      auto waited = co_await capture(wait(one));
      if (waited.has_exception()) interrupted = waited.exception();
    }
  }
  if (interrupted) std::rethrow_exception(interrupted);
}

template <class T>
void collect_errors(const std::vector<Task<T>>& attempts, StaggeredResult<T>& result) {
  for (std::size_t i = 0; i < attempts.size(); ++i)
    if (attempts[i].done() && !attempts[i].cancelled()) result.errors[i] = attempts[i].exception();
}

/// What becomes of the errors of attempts if the race is cancelled, so that nobody hears of them.
enum class UnheardErrors { reported, dropped };

template <class F>
Coro<StaggeredResult<attempt_t<F>>> staggered_race(std::vector<F> attempts, OptionalDelay delay,
                                                   UnheardErrors unheard) {
  using T = attempt_t<F>;
  StaggeredResult<T> result;
  std::vector<Task<T>> tasks;
  std::exception_ptr cancelled, broken;
  auto first_success = [&tasks]() -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < tasks.size(); ++i)
      if (tasks[i].state()->has_value()) return i;
    return std::nullopt;
  };

  tasks.reserve(attempts.size());     // so that none that runs is not in it
  auto ending = end_attempts(tasks);  // made before there is any, as it may lack memory
  try {
    while (!result.winner && !cancelled) {
      bool more = tasks.size() < attempts.size();
      if (more) tasks.push_back(create_task(run_attempt<F>, attempts[tasks.size()]));
      result.errors.resize(tasks.size());
      std::vector<Task<T>> pending;
      for (auto& task : tasks)
        if (!task.done()) pending.push_back(task);
      if (pending.empty()) break;
      OptionalDelay limit = tasks.size() < attempts.size() ? delay : std::nullopt;
      auto waited = co_await capture(wait(pending, FIRST_COMPLETED, limit));
      if (waited.has_exception()) cancelled = waited.exception();
      result.winner = first_success();
    }
  } catch (...) {  // Rethrown once the attempts have ended.
    broken = std::current_exception();
  }

  auto ended = co_await capture(std::move(ending));
  if (broken) std::rethrow_exception(broken);
  if (!cancelled || unheard == UnheardErrors::dropped) collect_errors(tasks, result);
  if (cancelled) std::rethrow_exception(cancelled);
  ended.value();
  if (result.winner) {
    if constexpr (std::is_void_v<T>)
      result.value.emplace();
    else
      result.value.emplace(std::move(slot_of<T>(*tasks[*result.winner].state()).get()));
  }
  co_return result;
}

}  // namespace detail

/// Starts the first of `attempts`, each a function that returns a Coro<T>; the next one when the
/// one before failed or `delay` has passed (nullopt: only on failure). The first that succeeds
/// wins, and the others are cancelled and waited for.
///
/// Awaits   a winner, or the failure of all.
/// Returns  the StaggeredResult.
/// Cancel   cancels all attempts and waits for them; the errors of those that have failed go to
///          the loop's exception handler.
/// Thread   the loop's.
/// asyncio  the module asyncio.staggered, used for happy eyeballs (RFC 8305)
template <class F>
Coro<StaggeredResult<detail::attempt_t<F>>> staggered_race(std::vector<F> attempts,
                                                           OptionalDelay delay) {
  return detail::staggered_race(std::move(attempts), delay, detail::UnheardErrors::reported);
}

}  // namespace asyncio
