// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/future.hpp"

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// Calls the function of `then` with the value of a future, or with nothing.
template <class T, class F>
decltype(auto) call_then(F& function, FutureState& source) {
  if constexpr (std::is_void_v<T>)
    return std::invoke(function);
  else
    return std::invoke(function, std::as_const(slot_of<T>(source).get()));
}

template <class T, class F>
using then_result_t =
    std::decay_t<decltype(call_then<T>(std::declval<F&>(), std::declval<FutureState&>()))>;

/// Whether F can follow a future of T.
template <class T, class F>
consteval bool check_then() {
  constexpr bool callable = [] {
    if constexpr (std::is_void_v<T>)
      return std::is_invocable_v<F&>;
    else
      return std::is_invocable_v<F&, const std::remove_reference_t<T>&>;
  }();
  if constexpr (!callable) {
    static_assert(never_v<F>, "then() takes a function of the future's value");
    return false;
  } else if constexpr (Awaitable<then_result_t<T, F>>) {
    static_assert(never_v<F>, "then() takes a plain function: to await more, await in a coroutine");
    return false;
  } else {
    return true;
  }
}

/// The future that `then` returns: it waits for its source through one node.
template <class T, class F>
class ThenState final : public ValueFuture<then_result_t<T, F>>, private Ready, private Combinator {
 public:
  using Result = then_result_t<T, F>;

  template <class G>
  ThenState(Ref<FutureState> source, std::source_location where, G&& function)
      : ValueFuture<Result>(source->loop(), where),
        Ready(&ThenState::source_done),
        source_(std::move(source)),
        target_(Ref<FutureState>::share(&source_->cancel_target())),
        function_(std::forward<G>(function)) {
    this->add_reference();  // until the source is done
    source_->add_callback(*this);
    source_->loop().add_combinator(*this);
  }

  bool cancel(const std::exception_ptr& reason) override {
    if (this->done()) return ValueFuture<Result>::cancel(reason);
    return target_ && target_->loop().pass_cancel(*target_, reason);
  }
  bool can_cancel() const override { return !this->done() && target_ && target_->can_cancel(); }
  FutureState& cancel_target() noexcept override { return target_ ? *target_ : *this; }

 private:
  static void source_done(Ready& node) {
    auto& self = static_cast<ThenState&>(node);
    auto keep = Ref<FutureState>::adopt(&self);
    self.Combinator::unlink();
    // Links of a long chain are let go one by one, not by one destructor inside the other (R12).
    Ref<FutureState> held = std::move(self.source_);
    self.target_ = nullptr;
    FutureState& source = *held;
    if (source.cancelled()) return self.set_cancelled(source.take_error());
    if (std::exception_ptr error = source.take_error()) return self.set_exception(error);
    try {
      if constexpr (std::is_void_v<Result>) {
        call_then<T>(self.function_, source);
        self.set_result();
      } else {
        self.set_result(call_then<T>(self.function_, source));
      }
    } catch (...) {  // The outcome of the new future.
      self.set_exception(std::current_exception());
    }
  }

  void loop_closing() noexcept override {
    auto keep = Ref<FutureState>::adopt(this);
    Ready::unlink();
    source_ = target_ = nullptr;
  }

  Ref<FutureState> source_;
  Ref<FutureState> target_;  // where a chain of them began: what a cancellation reaches
  F function_;
};

}  // namespace detail

template <class T>
template <class F>
auto Future<T>::then(F&& function, std::source_location where) const {
  detail::check_named<F>();
  if constexpr (detail::check_then<T, std::decay_t<F>>()) {
    using State = detail::ThenState<T, std::decay_t<F>>;
    return Future<typename State::Result>(detail::Ref<detail::FutureState>::adopt(
        new State(this->state(), where, std::forward<F>(function))));
  } else {
    return detail::Refused();
  }
}

}  // namespace asyncio
