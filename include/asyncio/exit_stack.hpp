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

  /// Calls `function(error)` when the stack is left, with the exception or null, as an `aexit`: it
  /// returns, or gives when awaited, whether to swallow the exception; nothing means no.
  template <class F>
  void push_async_exit(F&& function) {
    using Exit = std::decay_t<F>;
    entries_.push_back(std::make_unique<ExitEntry<Exit>>(std::forward<F>(function)));
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
      auto left = co_await detail::exit<std::remove_reference_t<C>>(manager, std::move(error));
      co_return detail::swallows(left);
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

  template <class F>
  struct ExitEntry final : Entry {
    static_assert(std::is_invocable_v<F&, std::exception_ptr>,
                  "push_async_exit takes a function of std::exception_ptr");
    explicit ExitEntry(F function) : call(std::move(function)) {}
    Coro<bool> leave(std::exception_ptr error) override {
      auto leave_it = [&]() -> decltype(auto) { return call(error); };
      using Leave = detail::Settle<decltype(leave_it)>;
      if constexpr (std::is_void_v<typename Leave::type>) {
        co_await Leave(std::move(leave_it));
        co_return false;
      } else {
        bool swallow = co_await Leave(std::move(leave_it));
        co_return swallow;
      }
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

/// Closes what has an `aclose`, a generator say, at the end of a `with`.
///
///     co_await with(aclosing(lines()), [&](AsyncGenerator<std::string>& line) -> Coro<> { ... });
///
/// asyncio  contextlib, aclosing
template <class T>
class AsyncClosing {
 public:
  explicit AsyncClosing(T&& thing) : thing_(std::forward<T>(thing)) {}

  std::remove_reference_t<T>& aenter() noexcept { return thing_; }
  Coro<bool> aexit(std::exception_ptr) {
    co_await thing_.aclose();
    co_return false;
  }

 private:
  T thing_;
};

/// A temporary is kept in the manager; what has a name is referred to.
template <class T>
AsyncClosing<T> aclosing(T&& thing) {
  return AsyncClosing<T>(std::forward<T>(thing));
}

}  // namespace asyncio
