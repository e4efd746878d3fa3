// SPDX-License-Identifier: BSL-1.0
// What the library asks of a compiler: coroutines resumed from a driver loop, a value and an
// exception through nested awaits, locals destroyed once, and a stack that does not grow.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

std::coroutine_handle<> next;

struct Coro {
  struct promise_type {
    std::coroutine_handle<> continuation;
    std::exception_ptr error;
    int value = 0;

    struct Final {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> h) noexcept {
        next = h.promise().continuation;
      }
      void await_resume() noexcept {}
    };
    Coro get_return_object() {
      return Coro(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void return_value(int v) { value = v; }
    void unhandled_exception() { error = std::current_exception(); }
  };

  explicit Coro(std::coroutine_handle<promise_type> h) : handle(h) {}
  Coro(Coro&& other) noexcept : handle(std::exchange(other.handle, {})) {}
  ~Coro() {
    if (handle) handle.destroy();
  }

  bool await_ready() noexcept { return false; }
  void await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle.promise().continuation = awaiting;
    next = handle;
  }
  int await_resume() {
    if (handle.promise().error) std::rethrow_exception(handle.promise().error);
    return handle.promise().value;
  }

  std::coroutine_handle<promise_type> handle;
};

int run(Coro coro) {
  next = coro.handle;
  while (next) std::exchange(next, {}).resume();
  return coro.await_resume();
}

Coro one(std::shared_ptr<int> held) { co_return *held; }

Coro fails(std::string text) {
  co_await one(std::make_shared<int>(0));
  throw std::runtime_error(text);
}

Coro many(int count, std::shared_ptr<int> held) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += co_await one(held);
  co_return sum;
}

Coro catches() {
  int code = 0;
  try {
    co_await fails("a text that is long enough for the heap");
  } catch (const std::runtime_error& error) {
    code = error.what()[0] == 'a' ? 1 : 0;
  }
  co_return code;
}

}  // namespace

int main() {
  auto held = std::make_shared<int>(1);
  if (run(many(100'000, held)) != 100'000) return std::puts("awaits in a loop: wrong sum"), 1;
  if (held.use_count() != 1) return std::puts("a frame was not destroyed once"), 1;
  if (run(catches()) != 1) return std::puts("an exception got lost"), 1;
  return 0;
}
