// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/refused.hpp"

#include <type_traits>

namespace asyncio {

template <class T>
class Coro;

namespace detail {

template <class A>
inline constexpr bool is_coro_v = false;
template <class T>
inline constexpr bool is_coro_v<Coro<T>> = true;

/// Whether a callable deduced as `F&&` survives inside a full expression with co_await. g++ 12
/// copies a lambda temporary bit by bit there and destroys its captures twice (compilers.md, G1),
/// so there it has to be named, or to hold nothing that needs a destructor.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template <class F>
inline constexpr bool safe_callable_v =
    std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<std::remove_reference_t<F>>;
#else
template <class F>
inline constexpr bool safe_callable_v = true;
#endif

/// For every function that takes a callable and gives something to await.
template <class F>
consteval void check_named() {
  static_assert(safe_callable_v<F>,
                "name the lambda first: g++ 12 destroys its captures twice inside co_await");
}

/// Whether F, called with Args, can be a callback: something plain that is over when it returns.
template <class F, class... Args>
consteval bool check_callback() {
  if constexpr (!std::is_invocable_v<F, Args...>) {
    static_assert(never_v<F>,
                  "the callback cannot be called with these arguments: they are kept as copies and "
                  "passed as rvalues (std::ref for a reference)");
    return false;
  } else if constexpr (is_coro_v<std::invoke_result_t<F, Args...>>) {
    static_assert(never_v<F>,
                  "a callback does not await, and this one returns a coroutine: give it to "
                  "create_task, or call create_task in the callback");
    return false;
  } else {
    return true;
  }
}

/// Whether F, called with Args, can run in a thread.
template <class F, class... Args>
consteval bool check_job() {
  if constexpr (!std::is_invocable_v<F, Args...>) {
    static_assert(never_v<F>,
                  "the function cannot be called with these arguments: they are kept as copies and "
                  "passed as rvalues (std::ref for a reference)");
    return false;
  } else if constexpr (is_coro_v<std::invoke_result_t<F, Args...>>) {
    static_assert(never_v<F>,
                  "a thread runs a plain function, and this one returns a coroutine, which runs in "
                  "the loop: co_await it, or give it to create_task");
    return false;
  } else {
    return true;
  }
}

}  // namespace detail

}  // namespace asyncio
