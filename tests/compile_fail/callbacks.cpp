// SPDX-License-Identifier: BSL-1.0
// What can be called by the loop.
#include "asyncio/asyncio.hpp"

using namespace asyncio;
using namespace std::chrono_literals;

Coro<> job();
Coro<> job_of(int);
void plain();
void append(std::string&);

// refused: a callback does not await, and this one returns a coroutine: give it to create_task
void soon(EventLoop loop) { loop.call_soon(job); }
// refused: a callback does not await, and this one returns a coroutine: give it to create_task
void threadsafe(EventLoop loop) { loop.call_soon_threadsafe(job_of, 1); }
// refused: a callback does not await, and this one returns a coroutine: give it to create_task
void later(EventLoop loop) {
  loop.call_later(1s, [] { return job(); });
}
// refused: the callback cannot be called with these arguments
void excess(EventLoop loop) { loop.call_soon(plain, 5); }
// refused: passed as rvalues (std::ref for a reference)
void reference(EventLoop loop, std::string s) { loop.call_soon(append, s); }

// refused: a callback does not await, and this one returns a coroutine: give it to create_task
void done(Task<> task) { task.add_done_callback(job); }
// refused: a done callback takes the future, or nothing
void done_of(Future<int> f) {
  f.add_done_callback([](int, int) {});
}
// refused: only a callback that can be compared can be removed: use a function pointer
void remove(Task<> task) {
  task.remove_done_callback([&] {});
}

// refused: then() takes a plain function: to await more, await in a coroutine
Coro<> then_await(Future<int> f) {
  co_await f.then([](int) { return job(); });
}
// refused: then() takes a function of the future's value
Coro<> then_other(Future<int> f) { co_await f.then(append); }
