// SPDX-License-Identifier: BSL-1.0
/// What CPython's tests of groups and timeouts are made of, for those that are listed.
#pragma once

#include "asyncio/asyncio.hpp"

#include <gtest/gtest.h>

#include <exception>
#include <functional>
#include <string>

namespace listed {

using namespace asyncio;
using namespace std::chrono_literals;

/// CPython's tests derive one from BaseException alone. Here it is what is no std::exception.
class NoException {};

/// "[a, [b]]" of a group of a and of a group of b; what else was thrown, by its type; "nothing".
inline std::string shape_of(const std::exception_ptr& error) {
  if (!error) return "nothing";
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    std::string text;
    for (const auto& each : group.exceptions())
      text += (text.empty() ? "[" : ", ") + shape_of(each);
    return text + "]";
  } catch (const ValueError& each) {
    return each.what();
  } catch (const CancelledError&) {
    return "cancelled";
  } catch (const NoException&) {
    return "no exception";
  } catch (...) {  // Described: that is what the test asks for.
    return describe_exception(error);
  }
}

template <class T>
std::string shape_of(const Result<T>& result) {
  return result.cancelled() ? "cancelled" : shape_of(result.exception());
}

inline Coro<int> value_after(Delay delay, int value) {
  co_await sleep(delay);
  co_return value;
}

inline Coro<> fail_after(Delay delay, std::string text) {
  co_await sleep(delay);
  throw ValueError(text);
}

/// Fails instead of being cancelled: `finally: 1 / 0`.
inline Coro<> stubborn(std::string text) {
  (void)co_await capture(sleep(10s));
  throw ValueError(text);
}

/// Ends as cancelled, after it has counted that.
inline Coro<> counting(int& count, int amount) {
  auto slept = co_await capture(sleep(10s));
  if (slept.cancelled()) count += amount;
  slept.value();
}

/// Runs what is ready, and what follows from it.
inline Coro<> settle() { co_await sleep(1ms); }

/// How a task with this body ends that is cancelled after 0.1s.
template <class F>
Coro<std::string> cancelled_soon(F& body) {
  Task<> task = create_task(std::ref(body));
  co_await sleep(100ms);
  EXPECT_FALSE(task.done());
  task.cancel();
  auto ended = co_await capture(task);
  co_return shape_of(ended);
}

}  // namespace listed
