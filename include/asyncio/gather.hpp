// SPDX-License-Identifier: BSL-1.0
/// gather: several awaitables at once.
#pragma once

#include "asyncio/detail/core/gather_state.hpp"
#include "asyncio/result.hpp"
#include "asyncio/task.hpp"

#include <cstddef>
#include <functional>
#include <ranges>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asyncio {

/// Given as the first argument of `gather`: exceptions become results, in place.
class ReturnExceptions {
 public:
  explicit constexpr ReturnExceptions(int) noexcept {}
};
inline constexpr ReturnExceptions return_exceptions{0};

namespace detail {

/// The result type of an awaitable as gather stores it: Unit for void, reference_wrapper for T&.
template <class A>
using awaited_t = typename decltype(ensure_future(std::declval<A>()))::value_type;
template <class T>
using gathered_t =
    std::conditional_t<std::is_reference_v<T>, std::reference_wrapper<std::remove_reference_t<T>>,
                       value_or_unit_t<T>>;

/// The value of a done child: moved out if nobody else can ask for it.
template <class T>
gathered_t<T> take_child_value(const Ref<FutureState>& child) {
  if constexpr (std::is_void_v<T>) {
    return Unit();
  } else if constexpr (std::is_reference_v<T>) {
    return slot_of<T>(*child).get();
  } else if constexpr (!copyable_v<T>) {
    return std::move(slot_of<T>(*child).get());
  } else {
    T& value = slot_of<T>(*child).get();
    return child->unique() ? T(std::move(value)) : T(value);
  }
}

template <bool Catch, class T>
using slot_result_t = std::conditional_t<Catch, Result<gathered_t<T>>, gathered_t<T>>;

template <bool Catch, class T>
slot_result_t<Catch, T> take_child(const Ref<FutureState>& child) {
  if constexpr (Catch) {
    if (!child->has_value()) return slot_result_t<Catch, T>(Thrown(child->take_error()));
  }
  return take_child_value<T>(child);
}

template <bool Catch, class T>
class GatherList final : public ValueFuture<std::vector<slot_result_t<Catch, T>>>,
                         private GatherChildren {
 public:
  using Results = std::vector<slot_result_t<Catch, T>>;

  GatherList(Loop& loop, std::source_location where, std::vector<Ref<FutureState>> children)
      : ValueFuture<Results>(loop, where), GatherChildren(*this, Catch, std::move(children)) {
    begin();
  }
  bool cancel(const std::exception_ptr& reason) override { return cancel_children(reason); }
  bool can_cancel() const override { return can_cancel_children(); }
  const std::vector<Ref<FutureState>>* cancelled_instead() const noexcept override {
    return &this->children();
  }

 private:
  void collect() override {
    Results results;
    results.reserve(children().size());
    for (const auto& child : children()) results.push_back(take_child<Catch, T>(child));
    this->set_result(std::move(results));
  }
};

template <bool Catch, class... T>
class GatherTuple final : public ValueFuture<std::tuple<slot_result_t<Catch, T>...>>,
                          private GatherChildren {
 public:
  using Results = std::tuple<slot_result_t<Catch, T>...>;

  GatherTuple(Loop& loop, std::source_location where, std::vector<Ref<FutureState>> children)
      : ValueFuture<Results>(loop, where), GatherChildren(*this, Catch, std::move(children)) {
    begin();
  }
  bool cancel(const std::exception_ptr& reason) override { return cancel_children(reason); }
  bool can_cancel() const override { return can_cancel_children(); }
  const std::vector<Ref<FutureState>>* cancelled_instead() const noexcept override {
    return &this->children();
  }

 private:
  void collect() override { collect_each(std::index_sequence_for<T...>()); }
  template <std::size_t... I>
  void collect_each(std::index_sequence<I...>) {
    this->set_result(Results{take_child<Catch, T>(children()[I])...});
  }
};

/// The loop of the first child; the running one if there is none.
inline Loop& loop_of(const std::vector<Ref<FutureState>>& children) {
  return children.empty() ? running_loop() : children.front()->loop();
}

template <bool Catch, class... A>
auto gather_each(std::source_location where, A&&... awaitables) {
  using State = GatherTuple<Catch, awaited_t<A>...>;
  std::vector<Ref<FutureState>> children;
  children.reserve(sizeof...(A));
  (children.push_back(ensure_future(std::forward<A>(awaitables), where).state()), ...);
  Loop& loop = loop_of(children);
  return Future<typename State::Results>(
      Ref<FutureState>::adopt(new State(loop, where, std::move(children))));
}

template <bool Catch, class R>
auto gather_range(std::source_location where, R&& range) {
  using Element = std::ranges::range_value_t<R>;
  using State = GatherList<Catch, awaited_t<Element>>;
  std::vector<Ref<FutureState>> children;
  if constexpr (std::ranges::sized_range<R>) children.reserve(std::ranges::size(range));
  for (auto&& element : range) {
    if constexpr (is_future_v<Element>)
      children.push_back(element.state());
    else
      children.push_back(ensure_future(Element(std::move(element)), where).state());
  }
  Loop& loop = loop_of(children);
  return Future<typename State::Results>(
      Ref<FutureState>::adopt(new State(loop, where, std::move(children))));
}

template <bool Catch, class... A>
auto gather_any(std::source_location where, A&&... awaitables) {
  if constexpr (sizeof...(A) == 1 && (AwaitableRange<A> && ...)) {
    static_assert((!is_named_once_range_v<A> && ...),
                  "a coroutine can be awaited once: write gather(std::move(range))");
    return gather_range<Catch>(where, std::forward<A>(awaitables)...);
  } else if constexpr ((check_awaitable<A>() && ...)) {
    return gather_each<Catch>(where, std::forward<A>(awaitables)...);
  } else {
    return Refused();
  }
}

}  // namespace detail

/// Runs the awaitables, or those of one range, concurrently; coroutines as new tasks, in order.
///
/// Awaits   all of them; or the first exception or cancellation among them, while the others run
///          on; a later exception is reported as never retrieved.
/// Returns  a Future of their results in that order: a tuple, with Unit for void; for a range a
///          vector. It can be stored, awaited several times, and given to another gather.
/// Throws   (the await) the first exception.
/// Cancel   cancels every child that is not done.
/// Thread   the loop's.
/// asyncio  Coroutines and Tasks, gather
template <class... A>
  requires(sizeof...(A) == 0 || sizeof...(A) > 4)
[[nodiscard("co_await it, or keep it")]] auto gather(A&&... awaitables) {
  return detail::gather_any<false>(std::source_location(), std::forward<A>(awaitables)...);
}
// C++ has no parameter after a pack that is deduced: the same for each number of awaitables, so
// that reports say where the tasks were made.
template <class A>
[[nodiscard("co_await it, or keep it")]] auto gather(
    A&& a, detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<false>(where.location, std::forward<A>(a));
}
template <class A, class B>
[[nodiscard("co_await it, or keep it")]] auto gather(
    A&& a, B&& b, detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<false>(where.location, std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B, class C>
[[nodiscard("co_await it, or keep it")]] auto gather(
    A&& a, B&& b, C&& c, detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<false>(where.location, std::forward<A>(a), std::forward<B>(b),
                                   std::forward<C>(c));
}
template <class A, class B, class C, class D>
[[nodiscard("co_await it, or keep it")]] auto gather(
    A&& a, B&& b, C&& c, D&& d,
    detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<false>(where.location, std::forward<A>(a), std::forward<B>(b),
                                   std::forward<C>(c), std::forward<D>(d));
}

/// The same, with a Result in each slot: awaits all, throws none of their exceptions.
template <class... A>
  requires(sizeof...(A) == 0 || sizeof...(A) > 4)
[[nodiscard("co_await it, or keep it")]] auto gather(ReturnExceptions, A&&... awaitables) {
  return detail::gather_any<true>(std::source_location(), std::forward<A>(awaitables)...);
}
template <class A>
[[nodiscard("co_await it, or keep it")]] auto gather(
    ReturnExceptions, A&& a,
    detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<true>(where.location, std::forward<A>(a));
}
template <class A, class B>
[[nodiscard("co_await it, or keep it")]] auto gather(
    ReturnExceptions, A&& a, B&& b,
    detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<true>(where.location, std::forward<A>(a), std::forward<B>(b));
}
template <class A, class B, class C>
[[nodiscard("co_await it, or keep it")]] auto gather(
    ReturnExceptions, A&& a, B&& b, C&& c,
    detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<true>(where.location, std::forward<A>(a), std::forward<B>(b),
                                  std::forward<C>(c));
}
template <class A, class B, class C, class D>
[[nodiscard("co_await it, or keep it")]] auto gather(
    ReturnExceptions, A&& a, B&& b, C&& c, D&& d,
    detail::Caller where = detail::Caller(std::source_location::current())) {
  return detail::gather_any<true>(where.location, std::forward<A>(a), std::forward<B>(b),
                                  std::forward<C>(c), std::forward<D>(d));
}

}  // namespace asyncio
