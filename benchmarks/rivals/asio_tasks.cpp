// SPDX-License-Identifier: BSL-1.0
// Boost.Asio: awaiting a coroutine; spawning coroutines and awaiting them: one, many, gathered.
#include "in_context.hpp"

#include <boost/asio/experimental/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/post.hpp>
#include <cstdint>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using bench::Count;

awaitable<std::uint64_t> echo(std::uint64_t value) { co_return value; }
awaitable<void> yield_once() { co_await asio::post(use_awaitable); }

awaitable<void> await_coroutine(Count& count) {
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await echo(sum);
  bench::keep(sum);
}

awaitable<void> await_task(Count& count) {
  auto executor = co_await asio::this_coro::executor;
  std::uint64_t sum = 0;
  while (count.more()) sum += co_await asio::co_spawn(executor, echo(sum), use_awaitable);
  bench::keep(sum);
}

/// The function and its argument live in the operation.
awaitable<void> await_bound_task(Count& count) {
  auto executor = co_await asio::this_coro::executor;
  std::uint64_t sum = 0;
  while (count.more()) {
    auto bound = [sum] { return echo(sum); };
    sum += co_await asio::co_spawn(executor, bound, use_awaitable);
  }
  bench::keep(sum);
}

template <class Deferred>
auto all_of(std::vector<Deferred> children) {
  return asio::experimental::make_parallel_group(std::move(children))
      .async_wait(asio::experimental::wait_for_all(), use_awaitable);
}

awaitable<void> create_then_await(Count& count) {
  auto executor = co_await asio::this_coro::executor;
  auto spawn = [&executor](std::uint64_t value) {
    return asio::co_spawn(executor, echo(value), asio::experimental::deferred);
  };
  while (std::int64_t size = count.batch(1000)) {
    std::vector<decltype(spawn(0))> children;
    children.reserve(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i)
      children.push_back(spawn(static_cast<std::uint64_t>(i)));
    auto [order, errors, values] = co_await all_of(std::move(children));
    std::uint64_t sum = 0;
    for (std::uint64_t value : values) sum += value;
    bench::keep(sum);
  }
}

template <std::int64_t Size>
awaitable<void> gather_yielding(Count& count) {
  auto executor = co_await asio::this_coro::executor;
  auto spawn = [&executor] {
    return asio::co_spawn(executor, yield_once(), asio::experimental::deferred);
  };
  while (std::int64_t size = count.batch(Size)) {
    std::vector<decltype(spawn())> children;
    children.reserve(static_cast<std::size_t>(size));
    for (std::int64_t i = 0; i < size; ++i) children.push_back(spawn());
    co_await all_of(std::move(children));
  }
}

using bench::add;
using bench::in_context;
using bench::Operation;

const bool added[] = {
    add(Operation("await_coroutine", "asio", in_context<await_coroutine>)),
    add(Operation("await_task", "asio", in_context<await_task>)),
    add(Operation("await_bound_task", "asio", in_context<await_bound_task>)),
    add(Operation("create_1000_await_all", "asio", in_context<create_then_await>)),
    add(Operation("gather_1000", "asio", in_context<gather_yielding<1000>>)),
    add(Operation("gather_100000", "asio", in_context<gather_yielding<100'000>>).batches(100'000)),
};

}  // namespace
