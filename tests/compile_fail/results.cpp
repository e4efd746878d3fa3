// SPDX-License-Identifier: BSL-1.0
// What coroutines may return and yield.
#include "asyncio/asyncio.hpp"

using namespace asyncio;

struct alignas(64) Line {};

// refused: what co_return gives does not convert to the coroutine's result type
Coro<int> converts() { co_return "text"; }
// refused: co_yield needs a function that returns asyncio::AsyncGenerator
Coro<> yields() { co_yield 1; }
// refused: a coroutine's result may not be over-aligned: return a pointer
Coro<Line> aligned() { co_return Line(); }
// refused: a coroutine's parameter may not be over-aligned: pass a pointer
Coro<> takes(Line) { co_return; }
// refused: what is awaited, and its result, may not be over-aligned: use a pointer
Coro<> moves_out(Future<Line> future) { Line line = co_await std::move(future); }
