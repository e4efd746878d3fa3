// SPDX-License-Identifier: BSL-1.0
/// What asynchronous comprehensions are in Python: functions from generators to generators.
#pragma once

#include "asyncio/capture.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/generator.hpp"
#include "asyncio/with.hpp"

#include <cstddef>
#include <exception>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// All items, in a vector: `[x async for x in source]`. The generator is closed if an item fails.
///
/// Awaits   every item.
/// Throws   what the generator throws.
template <class T>
Coro<std::vector<T>> collect(AsyncGenerator<T> source) {
  std::vector<T> items;
  while (auto item = co_await source.next()) items.push_back(*std::move(item));
  co_return items;
}

namespace detail {

template <class T, class F>
using transformed_t = std::remove_cvref_t<settled_t<std::invoke_result_t<F&, T>>>;

template <class T, class F>
AsyncGenerator<transformed_t<T, F>> transform_with(AsyncGenerator<T> source, F function) {
  std::exception_ptr error;
  try {
    while (auto item = co_await source.next()) {
      auto call = [&]() -> decltype(auto) { return std::invoke(function, *std::move(item)); };
      co_yield co_await Settle<decltype(call)>(std::move(call));
    }
  } catch (...) {  // Rethrown once the source has been closed.
    error = std::current_exception();
  }
  co_await source.aclose();
  if (error) std::rethrow_exception(error);
}

template <class T, class F>
AsyncGenerator<T> filter_with(AsyncGenerator<T> source, F predicate) {
  std::exception_ptr error;
  try {
    while (auto item = co_await source.next()) {
      bool wanted = std::invoke(predicate, std::as_const(*item));
      if (wanted) co_yield *std::move(item);
    }
  } catch (...) {  // Rethrown once the source has been closed.
    error = std::current_exception();
  }
  co_await source.aclose();
  if (error) std::rethrow_exception(error);
}

}  // namespace detail

/// `function(item)` of each item; the function may return an awaitable.
template <class T, class F>
auto transform(AsyncGenerator<T> source, F&& function) {
  detail::check_named<F>();
  return detail::transform_with<T, std::decay_t<F>>(std::move(source), std::forward<F>(function));
}

/// The items for which `predicate(item)` is true.
template <class T, class F>
AsyncGenerator<T> filter(AsyncGenerator<T> source, F&& predicate) {
  detail::check_named<F>();
  return detail::filter_with<T, std::decay_t<F>>(std::move(source), std::forward<F>(predicate));
}

/// The first `count` items.
template <class T>
AsyncGenerator<T> take(AsyncGenerator<T> source, std::size_t count) {
  std::exception_ptr error;
  try {
    for (; count > 0; --count) {
      auto item = co_await source.next();
      if (!item) break;
      co_yield *std::move(item);
    }
  } catch (...) {  // Rethrown once the source has been closed.
    error = std::current_exception();
  }
  co_await source.aclose();
  if (error) std::rethrow_exception(error);
}

}  // namespace asyncio
