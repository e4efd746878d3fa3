// SPDX-License-Identifier: BSL-1.0
// What create_task and run take.
#include "asyncio/asyncio.hpp"

using namespace asyncio;

int plain();
Coro<> job();
Coro<> job_of(int&);

// S14: CPython's create_task takes coroutines only, too.
// refused: a coroutine is needed here: use ensure_future for a Future or Task
void future(Future<int> f) { create_task(f); }
// refused: a coroutine is needed here: use ensure_future for a Future or Task
void task(Task<int> t, TaskGroup& group) { group.create_task(t); }
// refused: a coroutine is needed here, and this function does not return a Coro
void function() { create_task(plain); }
// refused: they are kept as copies and passed as rvalues (std::ref for a reference)
void arguments() { create_task(job_of, 1); }
// refused: create_task(coro, options): give TaskOptions().name("x")
void name() { create_task(job(), "a name"); }
// refused: options come before a function and its arguments: create_task(TaskOptions()..., f
void late_options() { create_task(job, TaskOptions().name("x")); }
// refused: options come before a function and its arguments: create_task(TaskOptions()..., f
void late_group_options(TaskGroup& group) { group.create_task(job_of, 1, TaskOptions()); }
// refused: f, args...), run(RunOptions()..., f, args...)
void late_run_options() { run(job_of, 1, RunOptions()); }
// refused: a coroutine is needed here, or a function with the arguments to call it with
void no_main() { run(5); }
// refused: a coroutine is needed here, and this function does not return a Coro
void plain_main(Runner& runner) {
  runner.run([] {});
}
