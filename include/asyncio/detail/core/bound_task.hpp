// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/core/task_state.hpp"

#include <functional>
#include <optional>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// What std::ref(x) is to a stored argument: a reference.
template <class A>
struct StoredArgument {
  using type = std::decay_t<A>;
};
template <class A>
struct StoredArgument<std::reference_wrapper<A>> {
  using type = A&;
};
template <class A>
using stored_t = typename StoredArgument<std::decay_t<A>>::type;

/// A task that owns the callable and arguments of its coroutine.
template <class T, class F, class... Args>
class BoundTask final : public TypedTask<T> {
 public:
  template <class G, class... A>
  BoundTask(Loop& loop, std::source_location created, G&& function, A&&... args)
      : TypedTask<T>(loop, created),
        call_(std::in_place, std::forward<G>(function), std::forward<A>(args)...) {
    this->expect_drop_callable();
  }

  /// Calls the callable with its arguments as rvalues, as std::thread does: what the coroutine
  /// takes by reference refers into the task.
  Coro<T> call() {
    return std::apply(
        [](F& function, Args&... args) -> Coro<T> {
          return std::invoke(function, std::forward<Args>(args)...);
        },
        *call_);
  }

 private:
  void drop_callable() noexcept override { call_.reset(); }

  std::optional<std::tuple<F, Args...>> call_;
};

}  // namespace asyncio::detail
