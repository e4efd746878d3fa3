// SPDX-License-Identifier: BSL-1.0
// What can run in a thread.
#include "asyncio/asyncio.hpp"

using namespace asyncio;

Coro<int> job();
Coro<int> job_of(int);
int plain();

// refused: a thread runs a plain function, and this one returns a coroutine
Coro<> thread() { co_await to_thread(job); }
// refused: a thread runs a plain function, and this one returns a coroutine
Coro<> stoppable(Coro<> (*function)(std::stop_token)) { co_await to_thread(function); }
// refused: the function cannot be called with these arguments: they are kept as copies
Coro<> arguments() { co_await to_thread(plain, "x"); }
// refused: a thread runs a plain function, and this one returns a coroutine
Coro<> executor(EventLoop loop) { co_await loop.run_in_executor(nullptr, job_of, 1); }
// refused: the function cannot be called with these arguments: they are kept as copies
void pool(ThreadPoolExecutor& executor) { executor.submit(plain, 1); }
