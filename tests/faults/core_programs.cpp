// SPDX-License-Identifier: BSL-1.0
// What makes tasks, callbacks, groups and the like: everything of the core that takes memory.
#include "programs.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Large enough to be nobody's small buffer.
std::string text() { return std::string(100, 't'); }

Coro<std::string> slowly() {
  co_await sleep(1ms);
  co_return text();
}

// --- Tasks ---------------------------------------------------------------------------------------

Coro<> tasks() {
  Task<std::string> first = create_task(slowly());
  Task<std::string> second = create_task(TaskOptions().name("a name that is not short"), slowly);
  std::string one = co_await first;
  std::string two = co_await second;
  require(one == text() && two == text(), "not the value of the task");
}

Coro<> gathered() {
  auto [one, two] = co_await gather(slowly(), slowly());
  require(one == text() && two == text(), "not the values");
  std::vector<Coro<std::string>> many;
  for (int i = 0; i < 3; ++i) many.push_back(slowly());
  auto values = co_await gather(std::move(many));
  require(values.size() == 3 && values.at(2) == text(), "not the values");
}

Coro<> groups() {
  std::string got;
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    auto task = group.create_task(slowly());
    group.create_task(slowly());
    got = co_await task;
  });
  require(got == text(), "not the value of the child");
}

Coro<> failing_group() {
  auto fail = []() -> Coro<> {
    co_await sleep(1ms);
    throw ValueError(text());
  };
  std::size_t errors = 0;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& group) {
      group.create_task(fail());
      group.create_task(slowly());
    });
  } catch (const ExceptionGroup& group) {
    errors = group.exceptions().size();
    if (errors != 1 || !group.subgroup<ValueError>()) throw;
  }
  require(errors == 1, "not the error of the child");
}

Coro<> shielded() {
  std::string got = co_await shield(slowly());
  require(got == text(), "not the value");
}

Coro<> limited() {
  std::string got = co_await wait_for(slowly(), 1h);
  require(got == text(), "not the value");
  bool late = false;
  try {
    co_await with(timeout(1ms), []() -> Coro<> { co_await sleep(1h); });
  } catch (const TimeoutError&) {
    late = true;
  }
  require(late, "no timeout");
}

Coro<> waited() {
  std::vector<Task<std::string>> all{create_task(slowly()), create_task(slowly())};
  auto both = co_await wait(all);
  require(both.done.size() == 2 && both.pending.empty(), "not done");
  std::vector<Task<std::string>> some{create_task(slowly())};
  auto within = co_await wait(some, ALL_COMPLETED, 1h);
  require(within.done.size() == 1, "not done");
  auto next = as_completed(std::vector<Task<std::string>>{create_task(slowly())});
  auto done = co_await next.next();
  require(done.has_value(), "nothing completed");
}

Coro<> cancelled() {
  Task<std::string> task = create_task(slowly());
  co_await sleep(0s);
  task.cancel("a reason that is not short at all");
  auto ended = co_await capture(task);
  if (!ended.cancelled()) ended.value();
  require(ended.cancelled(), "not cancelled");
}

// --- Callbacks and futures -----------------------------------------------------------------------

Coro<> callbacks() {
  EventLoop loop = get_running_loop();
  auto calls = std::make_shared<int>(0);  // for callbacks that outlive a body without memory
  auto call = [calls](const std::string&) { ++*calls; };
  loop.call_soon(call, text());
  loop.call_later(1ms, call, text());
  loop.call_at(loop.time() + 1ms, call, text());
  loop.call_soon_threadsafe(call, text());
  co_await sleep(5ms);
  require(*calls == 4, "a callback is lost or doubled");
}

Coro<> futures() {
  EventLoop loop = get_running_loop();
  Future<std::string> future = loop.create_future<std::string>();
  auto calls = std::make_shared<int>(0);
  future.add_done_callback([calls, held = text()](const Future<std::string>&) { ++*calls; });
  loop.call_soon([future, value = text()]() mutable { future.set_result(std::move(value)); });
  std::string got = co_await future;
  require(got == text(), "not the value of the future");
  co_await sleep(0s);
  require(*calls == 1, "the callback is lost or doubled");
}

/// What nobody awaits: each error is reported, once.
Coro<> unretrieved() {
  EventLoop loop = get_running_loop();
  auto reports = std::make_shared<int>(0);
  loop.set_exception_handler([reports](EventLoop, const ExceptionContext& context) {
    *reports += context.exception ? 1 : 100;
  });
  auto fail = []() -> Coro<> {
    co_await sleep(0s);
    throw ValueError(text());
  };
  {
    Task<> forgotten = create_task(fail);
  }
  loop.call_soon([] { throw ValueError(text()); });
  Future<> done = loop.create_future();
  done.add_done_callback([](const Future<>&) { throw ValueError(text()); });
  done.set_result();
  co_await sleep(5ms);
  loop.set_exception_handler(nullptr);
  require(*reports == 3, "an error is lost or doubled");
}

Coro<> threads() {
  EventLoop loop = get_running_loop();
  auto work = [] { return text(); };
  std::string one = co_await to_thread(work);
  std::string two = co_await loop.run_in_executor(nullptr, work);
  require(one == text() && two == text(), "not the value of the call");
}

// --- Queues, locks and generators ----------------------------------------------------------------

Coro<> queues() {
  Queue<std::string> queue{2};
  PriorityQueue<int> sorted;
  for (int i = 0; i < 10; ++i) sorted.put_nowait(i);
  auto produce = [&]() -> Coro<> {
    for (int i = 0; i < 5; ++i) co_await queue.put(text());
  };
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    group.create_task(produce());
    for (int i = 0; i < 5; ++i) {
      std::string item = co_await queue.get();
      require(item == text(), "not the item");
    }
  });
  for (int i = 0; i < 10; ++i) {
    int item = co_await sorted.get();
    require(item == i, "not the first item");
  }
}

Coro<> primitives() {
  Lock lock;
  Semaphore permits(1);
  Condition condition;
  Event event;
  auto use = [&]() -> Coro<> {
    co_await with(lock, []() -> Coro<> { co_await sleep(1ms); });
    co_await with(permits, []() -> Coro<> { co_await sleep(1ms); });
    co_await event.wait();
  };
  auto wait_here = [&]() -> Coro<> {
    co_await with(condition, [&]() -> Coro<> { co_await condition.wait(); });
  };
  auto notify = [&] { condition.notify_all(); };
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    group.create_task(use);
    group.create_task(use);
    group.create_task(wait_here);
    co_await sleep(10ms);
    event.set();
    co_await with(condition, notify);
  });
  require(!lock.locked() && !permits.locked() && !condition.locked(), "a lock is held");
}

Coro<> generators() {
  auto count = [](int end) -> AsyncGenerator<std::string> {
    for (int i = 0; i < end; ++i) {
      co_await sleep(0s);
      co_yield text();
    }
  };
  int items = 0;
  auto all = count(3);
  while (auto item = co_await all.next()) items += *item == text() ? 1 : 100;
  require(items == 3, "an item is lost or doubled");
  auto half = count(3);
  co_await half.next();
  co_await half.aclose();
}

Coro<> exit_stacks() {
  int calls = 0;
  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    stack.push_async_callback([&calls, held = text()] { ++calls; });
    co_await stack.enter_async_context(timeout(1h));
  });
  require(calls == 1, "a callback is lost or doubled");
}

/// What a group's child refers to lives as long as the child, however the stack is left.
Coro<> exit_stack_of_groups() {
  int ended = 0;
  auto child = [&ended]() -> Coro<> {
    auto outcome = co_await capture(slowly());
    ++ended;
    outcome.value();
  };
  co_await with(AsyncExitStack(), [&](AsyncExitStack& stack) -> Coro<> {
    TaskGroup& first = co_await stack.enter_async_context(TaskGroup());
    first.create_task(child);
    TaskGroup& second = co_await stack.enter_async_context(TaskGroup());
    second.create_task(child);
    co_await sleep(0s);  // they begin
  });
  require(ended == 2, "the stack has not waited for the children");
}

Coro<> variables() {
  static ContextVar<std::string> variable("a variable with a long name");
  variable.set(text());
  auto child = []() -> Coro<std::string> {
    std::string seen = variable.get();
    variable.set("other");
    co_return seen;
  };
  std::string seen_by_child = co_await create_task(child);
  require(seen_by_child == text(), "the task does not see the variable");
  require(variable.get() == text(), "the task has changed the variable of its parent");
}

constexpr Program kPrograms[] = {
    {"tasks", tasks},
    {"gathered", gathered},
    {"groups", groups},
    {"failing_group", failing_group},
    {"shielded", shielded},
    {"limited", limited},
    {"waited", waited},
    {"cancelled", cancelled},
    {"callbacks", callbacks},
    {"futures", futures},
    {"unretrieved", unretrieved},
    {"threads", threads},
    {"queues", queues},
    {"primitives", primitives},
    {"generators", generators},
    {"exit_stacks", exit_stacks},
    {"exit_stack_of_groups", exit_stack_of_groups},
    {"variables", variables},
};

}  // namespace

std::span<const Program> core_programs() { return kPrograms; }

}  // namespace faults
