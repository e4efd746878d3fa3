// SPDX-License-Identifier: BSL-1.0
/// AsyncExitStack: a number of context managers that is known only at run time.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/prepared_exit.hpp"
#include "asyncio/with.hpp"

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace detail {

/// What is left in its turn.
struct ExitStackEntry {
  ExitStackEntry() = default;
  ExitStackEntry(ExitStackEntry&&) = delete;
  ExitStackEntry& operator=(ExitStackEntry&&) = delete;
  virtual ~ExitStackEntry() = default;
  /// With `error`, which is set before it is awaited.
  virtual Coro<bool> leave() = 0;

  std::exception_ptr error;
  PreparedExit exit;
};
using ExitStackEntries = std::list<std::unique_ptr<ExitStackEntry>>;

struct ExitStackState {
  ExitStackState() = default;
  ExitStackState(ExitStackState&&) = delete;
  ExitStackState& operator=(ExitStackState&&) = delete;
  /// What was entered last goes first, as in a block.
  ~ExitStackState();

  /// Each entry sees the exception as the one before left it: swallowed, replaced or unchanged.
  Coro<bool> leave();

  ExitStackEntries entries;
  std::exception_ptr error;
  PreparedExit exit;
};

}  // namespace detail

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
  /// What this one holds is dropped.
  AsyncExitStack& operator=(AsyncExitStack&&) noexcept = default;
  /// A stack that was filled must have been left or closed; its entries are dropped otherwise, the
  /// last one first.
  ~AsyncExitStack() = default;

  /// Enters `manager`, and leaves it with the stack; a temporary is kept in the stack.
  ///
  /// Awaits   its aenter.
  /// Returns  what aenter gives.
  template <AsyncContextManager C>
  auto enter_async_context(C&& manager) {
    return enter<detail::kept_t<C>>(std::forward<C>(manager));
  }

  /// Calls `function(args...)` when the stack is left, once, with what was given as rvalues; it
  /// may return an awaitable.
  template <class F, class... Args>
  void push_async_callback(F&& function, Args&&... args) {
    auto call = [function = std::decay_t<F>(std::forward<F>(function)),
                 args = std::tuple<std::decay_t<Args>...>(std::forward<Args>(args)...)]() mutable
        -> decltype(auto) { return std::apply(std::move(function), std::move(args)); };
    push(made<CallbackEntry<decltype(call)>>(std::move(call)));
  }

  /// Calls `function(error)` when the stack is left, with the exception or null, as an `aexit`: it
  /// returns, or gives when awaited, whether to swallow the exception; nothing means no. Of a
  /// context manager that was entered already, which is kept or referred to as by
  /// `enter_async_context`, calls the `aexit`.
  template <class F>
  void push_async_exit(F&& function) {
    if constexpr (AsyncContextManager<std::remove_reference_t<F>>)
      push(made<ManagerEntry<detail::kept_t<F>>>(std::forward<F>(function)));
    else
      push(made<ExitEntry<std::decay_t<F>>>(std::forward<F>(function)));
  }

  /// Moves everything to a new stack; this one is empty afterwards.
  AsyncExitStack pop_all();

  /// Leaves everything now. Without the memory to begin, nothing is left, and it can be called
  /// again.
  Coro<void> aclose() { co_await aexit(nullptr); }

  AsyncExitStack& aenter() noexcept { return *this; }
  /// Each entry sees the exception as the one before left it: swallowed, replaced or unchanged.
  Coro<bool> aexit(std::exception_ptr error);

 private:
  using Entry = detail::ExitStackEntry;
  using Entries = detail::ExitStackEntries;

  template <class C>
  struct ManagerEntry final : Entry {
    template <class D>
    explicit ManagerEntry(D&& given) : manager(std::forward<D>(given)) {}
    Coro<bool> leave() override {
      auto left = co_await detail::exit<std::remove_reference_t<C>>(manager, error);
      co_return detail::swallows(left);
    }
    C manager;
  };
  template <class F>
  struct CallbackEntry final : Entry {
    explicit CallbackEntry(F function) : call(std::move(function)) {}
    Coro<bool> leave() override {
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
    Coro<bool> leave() override {
      auto leave_it = [&]() -> decltype(auto) { return call(this->error); };
      using Leave = detail::Settle<decltype(leave_it)>;
      auto left = co_await Leave(std::move(leave_it));
      co_return detail::swallows(left);
    }
    F call;
  };

  template <class C>
  using value_of =
      typename decltype(detail::enter(std::declval<std::remove_reference_t<C>&>()))::type;

  /// One entry, with all that it takes to leave it.
  template <class E, class Given>
  Entries made(Given&& given) {
    prepare();
    Entries one;
    one.push_back(std::make_unique<E>(std::forward<Given>(given)));
    one.back()->exit.prepare(one.back()->leave());
    return one;
  }
  template <class C, class D>
  Coro<value_of<C>> enter(D&& manager) {
    return enter_entry<C>(made<ManagerEntry<C>>(std::forward<D>(manager)));
  }
  template <class C>
  Coro<value_of<C>> enter_entry(Entries one) {
    auto& manager = static_cast<ManagerEntry<C>&>(*one.back()).manager;
    if constexpr (std::is_void_v<value_of<C>>) {
      co_await detail::enter(manager);
      push(std::move(one));
    } else {
      decltype(auto) value = co_await detail::enter(manager);
      push(std::move(one));
      co_return static_cast<value_of<C>&&>(value);
    }
  }
  void prepare();
  /// Without any need of memory, once there is a state.
  void push(Entries one) { state().entries.splice(state().entries.end(), one); }
  detail::ExitStackState& state();

  std::unique_ptr<detail::ExitStackState> state_;  // null until something is entered
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
