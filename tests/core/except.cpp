// SPDX-License-Identifier: BSL-1.0
/// try_ with its parts, handle_group, and other ways to deal with exceptions (A2.5, A2.18, D3).
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <coroutine>
#include <stdexcept>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> fail() {
  co_await sleep(0s);
  throw ValueError("broken");
}

TEST(Except, A2_18_plain_handler_may_rethrow) {
  auto rethrowing = []() -> Coro<int> {
    co_return co_await try_(fail).except<ValueError>([](ValueError&) -> int { throw; });
  };
  EXPECT_EQ(thrown([&] { run_virtual(rethrowing); }), "asyncio::ValueError: broken");
}

TEST(Except, A2_18_rethrown_exception_is_not_sliced) {
  auto rethrowing = []() -> Coro<int> {
    co_return co_await try_(fail).except<std::exception>([]() -> int { throw; });
  };
  EXPECT_EQ(thrown([&] { run_virtual(rethrowing); }), "asyncio::ValueError: broken");
}

TEST(Except, A2_18_coroutine_handler_rethrows_by_the_pointer) {
  auto rethrowing = []() -> Coro<int> {
    auto handler = [](std::exception&, std::exception_ptr error) -> Coro<int> {
      co_await sleep(0s);
      std::rethrow_exception(error);
    };
    co_return co_await try_(fail).except<std::exception>(handler);
  };
  EXPECT_EQ(thrown([&] { run_virtual(rethrowing); }), "asyncio::ValueError: broken");
}

TEST(Except, R4_cancellation_passes_a_handler_that_cleans_up) {
  run_virtual([]() -> Coro<> {
    bool cleaned = false;
    auto body = [&]() -> Coro<> {
      co_await try_([]() -> Coro<> { co_await sleep(1h); }).except<CancelledError>([&] {
        cleaned = true;
        throw;
      });
    };
    Task<> task = create_task(std::ref(body));
    co_await sleep(0s);
    task.cancel();
    Result<> result = co_await capture(task);
    EXPECT_TRUE(result.cancelled());
    EXPECT_TRUE(cleaned);
  });
}

ExceptionGroup mixed() {
  return ExceptionGroup(
      "mixed", {std::make_exception_ptr(ValueError("v")), std::make_exception_ptr(TypeError("t")),
                std::make_exception_ptr(RuntimeError("r"))});
}

TEST(Except, D3_A2_5_handler_that_throws_loses_neither_the_others_nor_the_rest) {
  bool second = false;
  std::string tree;
  try {
    handle_group(mixed(), on<ValueError>([](const ExceptionGroup&) {
                   throw std::runtime_error("in the handler");
                 }),
                 on<TypeError>([&](const ExceptionGroup&) { second = true; }));
  } catch (const ExceptionGroup& group) {
    ASSERT_EQ(group.exceptions().size(), 2u);
    EXPECT_EQ(describe_exception(group.exceptions()[0]), "std::runtime_error: in the handler");
    tree = group.tree();
  }
  EXPECT_TRUE(second);
  EXPECT_NE(tree.find("r"), std::string::npos);
}

TEST(Except, A2_5_what_no_handler_takes_keeps_its_group) {
  EXPECT_NO_THROW(handle_group(mixed(), on<std::exception>([](const ExceptionGroup&) {})));
  try {
    handle_group(mixed(), on<ValueError>([](const ExceptionGroup&) {}));
    FAIL();
  } catch (const ExceptionGroup& rest) {
    EXPECT_EQ(rest.message(), "mixed");
    EXPECT_EQ(rest.exceptions().size(), 2u);
  }
}

TEST(Except, fault204_moved_from_generator_is_an_error) {
  run_virtual([]() -> Coro<> {
    auto numbers = []() -> AsyncGenerator<int> { co_yield 1; };
    auto generator = numbers();
    auto taken = std::move(generator);
    EXPECT_EQ(thrown([&] { (void)generator.next(); }),
              "asyncio::RuntimeError: the asynchronous generator has been moved from");
    auto first = co_await taken.next();
    EXPECT_EQ(*first, 1);
    co_await taken.aclose();
  });
}

/// Fails in the step that is asked for.
class Failing {
 public:
  enum class Step { ready, suspend, resume };
  explicit Failing(Step step) : step_(step) {}

  bool await_ready() { return fail_in(Step::ready), false; }
  bool await_suspend(std::coroutine_handle<>) { return fail_in(Step::suspend), false; }
  void await_resume() { fail_in(Step::resume); }

 private:
  void fail_in(Step step) const {
    if (step == step_) throw ValueError("in this step");
  }
  Step step_;
};

TEST(Capture, D3_an_awaitable_may_fail_in_each_of_its_steps) {
  run_virtual([]() -> Coro<> {
    for (auto step : {Failing::Step::ready, Failing::Step::suspend, Failing::Step::resume}) {
      auto result = co_await capture(Failing(step));
      EXPECT_TRUE(result.holds<ValueError>());
    }
  });
}

// --- Exceptions that take the place of others
// -----------------------------------------------------

struct FailsToLeave {
  void aenter() {}
  void aexit(const std::exception_ptr&) { throw OSError(5, "close"); }
};

Coro<> fails_in_with() {
  co_await with(FailsToLeave(), []() -> Coro<> { co_await fail(); });
}
Coro<> fails_in_finally() {
  co_await try_(fail).finally_([] { throw OSError(5, "close"); });
}
Coro<> fails_in_stack() {
  co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
    stack.push_async_exit([](std::exception_ptr) -> Coro<bool> {
      throw OSError(5, "close");
      co_return false;
    });
    co_await fail();
  });
}

TEST(Except, D3_an_exception_that_a_clean_up_replaces_is_logged_in_debug_mode) {
  for (auto* program : {fails_in_with, fails_in_finally, fails_in_stack}) {
    test::LogCapture log;
    EXPECT_TRUE(thrown([&] { test::debug_virtual(program); }).starts_with("asyncio::OSError"));
    EXPECT_EQ(log.count("exception lost: asyncio::OSError", "took the place of",
                        "asyncio::ValueError: broken"),
              1)
        << log.all();
    EXPECT_EQ(log.records.size(), 1u) << log.all();
    EXPECT_TRUE(thrown([&] { run_virtual(program); }).starts_with("asyncio::OSError"));
    EXPECT_EQ(log.records.size(), 1u) << log.all();
  }
}

TEST(Except, D3_an_exit_stack_tells_of_each_exception_that_it_replaces) {
  test::LogCapture log;
  auto program = []() -> Coro<> {
    co_await with(AsyncExitStack(), [](AsyncExitStack& stack) -> Coro<> {
      stack.push_async_callback([]() -> Coro<> {
        throw OSError(5, "close");
        co_return;
      });
      stack.push_async_callback(fail);
      throw LookupError("of the body");
      co_return;
    });
  };
  EXPECT_TRUE(thrown([&] { test::debug_virtual(program); }).starts_with("asyncio::OSError"));
  EXPECT_EQ(log.count("took the place of asyncio::ValueError: broken"), 1) << log.all();
  EXPECT_EQ(log.count("took the place of asyncio::LookupError: of the body"), 1) << log.all();
}

TEST(Except, D3_what_an_exception_tells_of_is_not_lost) {
  test::LogCapture log;
  auto grouped = []() -> Coro<> {
    co_await with(TaskGroup(), [](TaskGroup&) -> Coro<> { co_await fail(); });
  };
  auto late = []() -> Coro<> {
    co_await with(timeout(1s), []() -> Coro<> { co_await sleep(1h); });
  };
  auto passed_on = []() -> Coro<> {
    struct Rethrows {
      void aenter() {}
      void aexit(const std::exception_ptr& error) { std::rethrow_exception(error); }
    };
    co_await with(Rethrows(), []() -> Coro<> { co_await fail(); });
  };
  EXPECT_NE(thrown([&] { test::debug_virtual(grouped); }), "nothing");
  EXPECT_NE(thrown([&] { test::debug_virtual(late); }), "nothing");
  EXPECT_EQ(thrown([&] { test::debug_virtual(passed_on); }), "asyncio::ValueError: broken");
  EXPECT_EQ(log.count("exception lost"), 0) << log.all();
}

}  // namespace
