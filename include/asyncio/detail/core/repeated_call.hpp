// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/callable_check.hpp"

#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

class Loop;

/// A callback that is called each time something happens, in the context of its making.
class RepeatedCall {
 public:
  RepeatedCall() = default;
  RepeatedCall(const RepeatedCall&) = delete;
  RepeatedCall& operator=(const RepeatedCall&) = delete;
  virtual ~RepeatedCall() = default;

  /// What it throws goes to the exception handler of `loop`; an interrupt is thrown on.
  void call(Loop& loop);

 private:
  virtual void invoke() = 0;
  ContextSlot context_;
};

template <class F, class... Args>
class TypedRepeatedCall final : public RepeatedCall {
 public:
  template <class G, class... A>
  explicit TypedRepeatedCall(G&& function, A&&... args)
      : call_(std::forward<G>(function), std::forward<A>(args)...) {}

 private:
  void invoke() override {
    std::apply([](auto& function, auto&... args) { (void)std::invoke(function, args...); }, call_);
  }

  std::tuple<F, Args...> call_;
};

template <class F, class... Args>
std::unique_ptr<RepeatedCall> repeated_call(F&& function, Args&&... args) {
  static_assert(std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>,
                "the callback cannot be called with these arguments: they are kept as copies and "
                "passed as lvalues, each time");
  if constexpr (std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>) {
    using Result = std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>&...>;
    static_assert(!is_coro_v<Result>,
                  "a callback does not await, and this one returns a coroutine: call create_task "
                  "in the callback");
    return std::make_unique<TypedRepeatedCall<std::decay_t<F>, std::decay_t<Args>...>>(
        std::forward<F>(function), std::forward<Args>(args)...);
  } else {
    return nullptr;
  }
}

}  // namespace asyncio::detail
