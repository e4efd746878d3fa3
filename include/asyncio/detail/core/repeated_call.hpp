// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/context.hpp"
#include "asyncio/detail/core/callable_check.hpp"

#include <functional>
#include <memory>
#include <source_location>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace asyncio::detail {

class Loop;

/// A callback that is called each time something happens, in the context of its making.
class RepeatedCall {
 public:
  RepeatedCall(const RepeatedCall&) = delete;
  RepeatedCall& operator=(const RepeatedCall&) = delete;
  virtual ~RepeatedCall() = default;

  /// What it throws goes to the exception handler of `loop`; an interrupt is thrown on.
  void call(Loop& loop);

 protected:
  explicit RepeatedCall(std::source_location where) noexcept : where_(where) {}

 private:
  virtual void invoke() = 0;
  virtual const std::type_info& callable_type() const noexcept = 0;

  ContextSlot context_;
  std::source_location where_;  // of the call that asked for it
};

template <class F, class... Args>
class TypedRepeatedCall final : public RepeatedCall {
 public:
  template <class G, class... A>
  explicit TypedRepeatedCall(std::source_location where, G&& function, A&&... args)
      : RepeatedCall(where), call_(std::forward<G>(function), std::forward<A>(args)...) {}

 private:
  void invoke() override {
    std::apply([](auto& function, auto&... args) { (void)std::invoke(function, args...); }, call_);
  }

  const std::type_info& callable_type() const noexcept override { return typeid(F); }

  std::tuple<F, Args...> call_;
};

template <class F, class... Args>
std::unique_ptr<RepeatedCall> repeated_call(std::source_location where, F&& function,
                                            Args&&... args) {
  static_assert(std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>,
                "the callback cannot be called with these arguments: they are kept as copies and "
                "passed as lvalues, each time");
  if constexpr (std::is_invocable_v<std::decay_t<F>&, std::decay_t<Args>&...>) {
    using Result = std::invoke_result_t<std::decay_t<F>&, std::decay_t<Args>&...>;
    static_assert(!is_coro_v<Result>,
                  "a callback does not await, and this one returns a coroutine: call create_task "
                  "in the callback");
    return std::make_unique<TypedRepeatedCall<std::decay_t<F>, std::decay_t<Args>...>>(
        where, std::forward<F>(function), std::forward<Args>(args)...);
  } else {
    return nullptr;
  }
}

}  // namespace asyncio::detail
