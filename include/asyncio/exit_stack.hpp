// SPDX-License-Identifier: BSL-1.0
/// AsyncExitStack: a number of context managers that is known only at run time.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/with.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// Context managers and callbacks to be left in reverse order when the stack is left.
///
///     co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
///       for (auto& name : names) {
///         auto& session = co_await stack.enter_async_context(Session(name));
///         ...
///       }
///     });
///
/// Thread   the loop's.
/// asyncio  contextlib, AsyncExitStack
class AsyncExitStack {
 public:
  AsyncExitStack() = default;
  AsyncExitStack(AsyncExitStack&&) noexcept = default;
  AsyncExitStack& operator=(AsyncExitStack&&) = delete;
  /// A stack that was filled must have been left or closed; its entries are dropped otherwise.
  ~AsyncExitStack() = default;

  /// Enters `manager`, and leaves it with the stack; a temporary is kept in the stack.
  ///
  /// Awaits   its aenter.
  /// Returns  what aenter gives.
  template <AsyncContextManager C>
  auto enter_async_context(C&& manager) {
    return enter<detail::kept_t<C>>(std::forward<C>(manager));
  }

  /// Calls `function(args...)` when the stack is left; it may return an awaitable.
  template <class F, class... Args>
  void push_async_callback(F&& function, Args&&... args) {
    auto call = [function = std::decay_t<F>(std::forward<F>(function)),
                 args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(
                     args)...)]() mutable -> decltype(auto) { return std::apply(function, args); };
    entries_.push_back(std::make_unique<CallbackEntry<decltype(call)>>(std::move(call)));
  }

  /// Moves everything to a new stack; this one is empty afterwards.
  AsyncExitStack pop_all() noexcept { return std::move(*this); }

  /// Leaves everything now.
  Coro<void> aclose() { co_await aexit(nullptr); }

  AsyncExitStack& aenter() noexcept { return *this; }
  /// Each entry sees the exception as the one before left it: swallowed, replaced or unchanged.
  Coro<bool> aexit(std::exception_ptr error);

 private:
  struct Entry {
    virtual ~Entry() = default;
    virtual Coro<bool> leave(std::exception_ptr error) = 0;
  };
  template <class C>
  struct ManagerEntry final : Entry {
    template <class D>
    explicit ManagerEntry(D&& given) : manager(std::forward<D>(given)) {}
    Coro<bool> leave(std::exception_ptr error) override {
      bool swallow = co_await detail::exit<std::remove_reference_t<C>>(manager, std::move(error));
      co_return swallow;
    }
    C manager;
  };
  template <class F>
  struct CallbackEntry final : Entry {
    explicit CallbackEntry(F function) : call(std::move(function)) {}
    Coro<bool> leave(std::exception_ptr) override {
      co_await detail::Settle<std::reference_wrapper<F>>(call);
      co_return false;
    }
    F call;
  };

  template <class C, class D>
  auto enter(D&& manager)
      -> Coro<typename decltype(detail::enter(std::declval<std::remove_reference_t<C>&>()))::type> {
    return enter_entry<C>(std::make_unique<ManagerEntry<C>>(std::forward<D>(manager)));
  }
  template <class C>
  auto enter_entry(std::unique_ptr<ManagerEntry<C>> entry)
      -> Coro<typename decltype(detail::enter(std::declval<std::remove_reference_t<C>&>()))::type> {
    using Value = typename decltype(detail::enter(entry->manager))::type;
    if constexpr (std::is_void_v<Value>) {
      co_await detail::enter(entry->manager);
      entries_.push_back(std::move(entry));
    } else {
      decltype(auto) value = co_await detail::enter(entry->manager);
      entries_.push_back(std::move(entry));
      co_return static_cast<Value>(value);
    }
  }

  std::vector<std::unique_ptr<Entry>> entries_;
};

}  // namespace asyncio
