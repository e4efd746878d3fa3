// SPDX-License-Identifier: BSL-1.0
// What does the next item of an asynchronous generator cost?
#include "in_loop.hpp"
#include <asyncio/generator.hpp>

#include <cstdint>

namespace {

using namespace asyncio;
using bench::Count;

AsyncGenerator<std::uint64_t> numbers() {
  for (std::uint64_t i = 0;; ++i) co_yield i;
}

Coro<> generator_next(Count& count) {
  auto items = numbers();
  std::uint64_t sum = 0;
  while (count.more()) {
    auto item = co_await items.next();
    sum += *item;
  }
  bench::keep(sum);
  co_await items.aclose();
}

const bool added =
    bench::add(bench::Operation("generator_next", "asyncio", bench::in_loop<generator_next>));

}  // namespace
