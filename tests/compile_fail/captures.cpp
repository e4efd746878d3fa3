// SPDX-License-Identifier: BSL-1.0
// D15 (compilers.md, G1): g++ 12 destroys the captures of a temporary lambda twice in an expression
// with co_await. Named, or without anything to destroy, a lambda is safe; and so is one for a task
// that is awaited later.
#include "asyncio/asyncio.hpp"

#include <memory>

using namespace asyncio;
using namespace std::chrono_literals;

using Shared = std::shared_ptr<bool>;
AsyncGenerator<int> items();

// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> managed(Shared s) {
  co_await with(timeout(1s), [s]() -> Coro<> { co_return; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> task(Shared s) {
  co_await create_task([s]() -> Coro<int> { co_return 1; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> child(TaskGroup& group, Shared s) {
  co_await group.create_task([s]() -> Coro<char> { co_return '1'; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> thread(Shared s) {
  co_await to_thread([s] { return *s; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> executor(EventLoop loop, Shared s) {
  co_await loop.run_in_executor(nullptr, [s] { return *s; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> tried(Shared s) {
  co_await try_([s] {});
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> handled(Shared s) {
  co_await try_([] {}).except<ValueError>([s] {});
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> last(Shared s) {
  co_await try_([] {}).finally_([s] {});
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> predicate(Condition& c, Shared s) {
  co_await c.wait_for([s] { return *s; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> then(Future<int> f, Shared s) {
  co_await f.then([s](int) { return *s; });
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> mapped(Shared s) {
  co_await collect(transform(items(), [s](int) { return 1; }));
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> filtered(Shared s) {
  co_await collect(filter(items(), [s](int) { return true; }));
}
// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> server(Shared s) {
  co_await start_server([s](auto, auto) {}, "", 80);
}

// refused: name the lambda first: g++ 12 destroys its captures twice inside co_await
Coro<> gathered(Shared s) {
  co_await gather(create_task([s](long) -> Coro<> { co_return; }, 1), sleep(1s));
}

Coro<> safe(Condition& c, Shared s) {
  auto task = create_task([s]() -> Coro<> { co_return; });
  co_await task;
  Task<> same = task;
  co_await std::move(same);
  auto named = [s]() -> Coro<> { co_return; };
  co_await with(timeout(1s), named);
  co_await create_task(named);
  co_await c.wait_for([&] { return *s; });
  co_await to_thread([raw = s.get()] { return *raw; });
}
