// SPDX-License-Identifier: BSL-1.0
// What coroutines may return and yield.
#include "asyncio/asyncio.hpp"

#include <memory>

using namespace asyncio;

struct alignas(64) Line {};

// refused: what co_return gives does not convert to the coroutine's result type
Coro<int> converts() { co_return "text"; }
// refused: co_yield needs a function that returns asyncio::AsyncGenerator
Coro<> yields() { co_yield 1; }
// refused: the generator keeps a named item: write co_yield std::move(item)
AsyncGenerator<std::unique_ptr<int>> keeps(std::unique_ptr<int> item) { co_yield item; }
// refused: a coroutine's result may not be over-aligned: return a pointer
Coro<Line> aligned() { co_return Line(); }
// refused: a coroutine's parameter may not be over-aligned: pass a pointer
Coro<> takes(Line) { co_return; }
// refused: what is awaited, and its result, may not be over-aligned: use a pointer
Coro<> moves_out(Future<Line> future) { Line line = co_await std::move(future); }
