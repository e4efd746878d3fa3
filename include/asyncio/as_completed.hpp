// SPDX-License-Identifier: BSL-1.0
/// as_completed: results in the order in which they arrive.
#pragma once

#include "asyncio/detail/core/completion_queue.hpp"
#include "asyncio/task.hpp"
#include "asyncio/time.hpp"

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// Gives the tasks of a set as they get done. Copies share one progress.
///
///     auto completed = as_completed(tasks, 10s);
///     while (auto task = co_await completed.next()) use(co_await *task);
///
/// or, where it does not matter which task it was,
///
///     for (auto&& result : as_completed(tasks, 10s)) use(co_await std::move(result));
///
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, as_completed
template <class Handle>
class [[nodiscard("ask it for tasks: co_await completed.next()")]] AsCompleted {
 public:
  using value_type = typename Handle::value_type;

  explicit AsCompleted(std::shared_ptr<detail::CompletionQueue> queue) noexcept
      : queue_(std::move(queue)) {}

  /// Awaits   the next task to get done.
  /// Returns  it; empty when all have been given.
  /// Throws   TimeoutError for each task that was not done at the deadline; it runs on.
  /// Cancel   ends the wait; the task is given to the next who asks.
  Coro<std::optional<Handle>> next() {
    auto queue = queue_;
    return next_of(std::move(queue));
  }

  /// The plain iteration: as many coroutines as there are tasks; each awaits the next to get done
  /// and returns its result. Await them with std::move.
  class iterator {
   public:
    using value_type = Coro<typename Handle::value_type>;
    using difference_type = std::ptrdiff_t;

    explicit iterator(std::shared_ptr<detail::CompletionQueue> queue) : queue_(std::move(queue)) {
      advance();
    }
    value_type& operator*() { return *current_; }
    iterator& operator++() {
      advance();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const noexcept { return !current_; }

   private:
    void advance() {
      if (current_) current_->close();  // passed over without being awaited
      current_.reset();
      if (queue_->claim()) current_.emplace(result_of_next(queue_));
    }
    std::shared_ptr<detail::CompletionQueue> queue_;
    std::optional<value_type> current_;
  };
  iterator begin() { return iterator(queue_); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  static Coro<std::optional<Handle>> next_of(std::shared_ptr<detail::CompletionQueue> queue) {
    if (!queue->claim()) co_return std::nullopt;
    try {
      detail::Ref<detail::FutureState> state = co_await queue->get();
      co_return std::optional<Handle>(Handle(std::move(state)));
    } catch (const CancelledError&) {
      queue->unclaim();
      throw;
    }
  }
  static Coro<value_type> result_of_next(std::shared_ptr<detail::CompletionQueue> queue) {
    detail::Ref<detail::FutureState> state = co_await queue->get();
    Future<value_type> future(std::move(state));
    co_return co_await std::move(future);
  }

  std::shared_ptr<detail::CompletionQueue> queue_;
};

/// Watches the awaitables of `range`, coroutines as new tasks, for at most `limit`.
template <std::ranges::input_range R>
auto as_completed(R&& range, OptionalDelay limit = std::nullopt,
                  std::source_location where = std::source_location::current()) {
  static_assert(!detail::is_named_once_range_v<R>,
                "a coroutine can be awaited once: write as_completed(std::move(range))");
  using Element = std::ranges::range_value_t<R>;
  using Watched = decltype(ensure_future(std::declval<Element>()));
  std::vector<FutureHandle> futures;
  for (auto&& element : range) {
    if constexpr (is_future_v<Element>)
      futures.push_back(element);
    else
      futures.push_back(ensure_future(Element(std::move(element)), where));
  }
  return AsCompleted<Watched>(std::make_shared<detail::CompletionQueue>(std::move(futures), limit));
}

}  // namespace asyncio
