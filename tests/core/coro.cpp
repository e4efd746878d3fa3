// SPDX-License-Identifier: BSL-1.0
#include "asyncio/coro.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

Coro<int> answer() { co_return 42; }
constexpr int kHoldLine = __LINE__ + 1;
Coro<> hold(Counted) { co_await sleep(0s); }

TEST(Coro, S10_awaits_add_up_and_give_values) {
  auto main = []() -> Coro<int> {
    int first = co_await answer();
    int second = co_await answer();
    co_return first + second;
  };
  EXPECT_EQ(run_virtual(main), 84);
}

TEST(Coro, S11_fault205_never_awaited_is_reported_with_name_and_line_and_frees_its_arguments) {
  test::LogCapture log;
  int before = Counted::alive;
  {
    Coro<> forgotten = hold(Counted());
    EXPECT_EQ(Counted::alive, before + 1);
  }
  EXPECT_EQ(Counted::alive, before);
  ASSERT_EQ(log.records.size(), 1u);
  EXPECT_EQ(log.records[0].level, LogLevel::warning);
  std::string where = "coro.cpp:" + std::to_string(kHoldLine);
  EXPECT_EQ(log.count("coroutine 'hold'", "was never awaited", where), 1) << log.all();
}

TEST(Coro, S11_assigning_over_a_coroutine_drops_it_and_close_drops_it_silently) {
  test::LogCapture log;
  Coro<int> coro = answer();
  coro = answer();
  EXPECT_EQ(log.count("coroutine 'answer'", "was never awaited"), 1);
  coro.close();
  coro.close();
  EXPECT_EQ(log.records.size(), 1u);
}

TEST(Coro, fault204_awaited_twice_or_moved_from_is_an_error) {
  run_virtual([]() -> Coro<> {
    Coro<int> coro = answer();
    int value = co_await std::move(coro);
    EXPECT_EQ(value, 42);
    std::string again;
    try {
      co_await std::move(coro);
    } catch (const RuntimeError& e) {
      again = e.what();
    }
    EXPECT_EQ(again, "cannot reuse already awaited coroutine");
    EXPECT_EQ(thrown([&] { create_task(std::move(coro)); }),
              "asyncio::RuntimeError: cannot reuse already awaited coroutine");
    EXPECT_EQ(all_tasks().size(), 1u);
  });
  Coro<int> moved = answer();
  Coro<int> target = std::move(moved);
  EXPECT_EQ(thrown([&] { run(std::move(moved), test::virtual_options()); }),
            "asyncio::RuntimeError: cannot reuse already awaited coroutine");
  target.close();
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wreturn-type"  // clang sees it, g++ does not
Coro<int> forgets_co_return(bool forget) {
  co_await sleep(0s);
  if (!forget) co_return 1;
}
#pragma GCC diagnostic pop

TEST(Coro, R16_missing_co_return_is_an_error_that_names_the_function) {
  std::string text = thrown([] { run(forgets_co_return(true), test::virtual_options()); });
  EXPECT_NE(text.find("RuntimeError: coroutine 'forgets_co_return' ("), std::string::npos) << text;
  EXPECT_NE(text.find("coro.cpp:"), std::string::npos) << text;
  EXPECT_NE(text.find("ended without co_return"), std::string::npos) << text;
  EXPECT_EQ(run(forgets_co_return(false), test::virtual_options()), 1);
}

extern "C" {
void __lsan_disable() __attribute__((weak));
void __lsan_enable() __attribute__((weak));
}

int truth = 0;
Coro<bool> yes() { co_return true; }
Coro<> no_locals() {
  if (co_await yes()) ++truth;
}

// g++ 12 gives no_locals() a frame that can be neither run nor destroyed, so it is leaked, and the
// error says what to write instead.
TEST(Coro, D15_coroutine_miscompiled_by_gcc_throws_instead_of_corrupting_memory) {
  truth = 0;
  if (__lsan_disable) __lsan_disable();
  std::string text = thrown([] { run(no_locals(), test::virtual_options()); });
  if (__lsan_enable) __lsan_enable();
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
  RecordProperty("leaves", "a frame that can be neither run nor destroyed");
  EXPECT_NE(text.find("coroutine 'no_locals'"), std::string::npos) << text;
  EXPECT_NE(text.find("give the value awaited in its condition a name"), std::string::npos);
  EXPECT_EQ(truth, 0);
#else
  EXPECT_EQ(text, "nothing");
  EXPECT_EQ(truth, 1);
#endif
}

struct ThrowsWhenCopied {
  ThrowsWhenCopied() = default;
  ThrowsWhenCopied(const ThrowsWhenCopied&) { throw std::length_error("copy"); }
};
Coro<> takes(Counted, const Counted&, ThrowsWhenCopied) { co_return; }

TEST(Coro, fault17_argument_that_throws_while_it_enters_the_frame_frees_the_frame) {
  test::LogCapture log;
  int before = Counted::alive;
  ThrowsWhenCopied bad;
  EXPECT_EQ(thrown([&] { (void)takes(Counted(), Counted(), bad); }), "std::length_error: copy");
  EXPECT_EQ(Counted::alive, before);
  EXPECT_TRUE(log.records.empty());
}

Coro<> throws_int() {
  co_await sleep(0s);
  throw 42;
}

TEST(Coro, fault17_exceptions_of_foreign_types_pass_unharmed) {
  run_virtual([]() -> Coro<> {
    int caught = 0;
    try {
      co_await throws_int();
    } catch (int value) {
      caught = value;
    }
    EXPECT_EQ(caught, 42);
  });
  EXPECT_EQ(thrown([] { run(throws_int(), test::virtual_options()); }), "exception of type int");
}

struct CopyThrows : std::exception {
  CopyThrows() = default;
  CopyThrows(const CopyThrows&) : std::exception() { throw std::length_error("copied"); }
  const char* what() const noexcept override { return "not to be copied"; }
};

TEST(Coro, fault17_an_exception_is_never_copied_on_its_way) {
  auto fails = [](int depth, auto& self) -> Coro<> {
    if (depth == 0) {
      co_await sleep(0s);
      throw CopyThrows();
    }
    co_await self(depth - 1, self);
  };
  std::string text = thrown([&] { run(fails(3, fails), test::virtual_options()); });
  EXPECT_TRUE(text.ends_with("CopyThrows: not to be copied")) << text;
}

// What another library's awaiter may do.
struct Foreign {
  std::string_view throws_in;
  bool ready = false;
  std::coroutine_handle<>* suspended = nullptr;

  bool await_ready() {
    if (throws_in == "await_ready") throw ValueError("await_ready");
    return ready;
  }
  void await_suspend(std::coroutine_handle<> frame) {
    if (throws_in == "await_suspend") throw ValueError("await_suspend");
    if (suspended) *suspended = frame;
    if (!suspended) frame.resume();
  }
  int await_resume() {
    if (throws_in == "await_resume") throw ValueError("await_resume");
    return 5;
  }
};

Coro<std::string> error_in(std::string_view where) {
  Counted inside;
  std::string text = "none";
  try {
    co_await Foreign{where};
  } catch (const ValueError& e) {
    text = e.what();
  }
  co_await sleep(1s);  // the task goes on as usual
  co_return text;
}

TEST(Coro, fault17_exception_from_each_step_of_a_foreign_awaiter_is_thrown_at_the_await) {
  int before = Counted::alive;
  for (std::string_view where : {"await_ready", "await_suspend", "await_resume"}) {
    EXPECT_EQ(run(error_in(where), test::virtual_options()), where);
    EXPECT_EQ(Counted::alive, before);
  }
}

TEST(Coro, A2_1_foreign_awaiter_suspends_and_is_resumed_by_its_handle) {
  run_virtual([]() -> Coro<> {
    std::coroutine_handle<> frame;
    auto wait = [](std::coroutine_handle<>& where) -> Coro<int> {
      Foreign foreign{"", false, &where};
      co_return co_await foreign;
    };
    Task<int> task = create_task(wait, std::ref(frame));
    co_await sleep(1s);
    EXPECT_FALSE(task.done());
    EXPECT_TRUE(frame);
    frame.resume();
    EXPECT_FALSE(task.done());  // it runs from the loop, not inside resume()
    int value = co_await task;
    EXPECT_EQ(value, 5);
  });
}

struct Convertible {
  Foreign operator co_await() && { return Foreign{"", true}; }
};
struct ByFunction {};
Foreign operator co_await(ByFunction) { return Foreign{"", true}; }

TEST(Coro, A2_1_operator_co_await_of_either_form_is_accepted) {
  run_virtual([]() -> Coro<> {
    int member = co_await Convertible();
    int free = co_await ByFunction();
    EXPECT_EQ(member + free, 10);
    static_assert(Awaitable<Convertible> && Awaitable<ByFunction> && !Awaitable<int>);
    static_assert(std::is_same_v<await_result_t<Convertible>, int>);
    static_assert(is_coroutine_v<Coro<int>> && !is_coroutine_v<int>);
    static_assert(is_coroutine_function_v<decltype(&answer)>);
    static_assert(!is_coroutine_function_v<decltype(&answer), int>);  // not with an argument
    Coro<int> coro = answer();
    EXPECT_TRUE(iscoroutine(coro));
    coro.close();
  });
}

TEST(Coro, fault204_what_stands_for_a_coroutine_is_awaited_once) {
  auto twice = [](auto make) -> Coro<std::string> {
    auto awaitable = make();
    (void)co_await std::move(awaitable);
    Result<> second = co_await capture([&]() -> Coro<> { (void)co_await std::move(awaitable); }());
    co_return describe_exception(second.exception());
  };
  const char* reused = "asyncio::RuntimeError: cannot reuse already awaited coroutine";
  EXPECT_EQ(run_virtual(twice, [] { return sleep(1s); }), reused);
  EXPECT_EQ(run_virtual(twice, [] { return answer(); }), reused);
  EXPECT_EQ(run_virtual(twice, [] { return capture(answer()); }), reused);
  EXPECT_EQ(run_virtual(twice, [] { return wait_for(answer(), 1s); }), reused);
}

/// An exception that is counted while it lives.
struct Lost : std::runtime_error {
  explicit Lost(const char* text) : std::runtime_error(text) {}
  Counted counted;
};

/// Notes how many exceptions are on their way when the frame ends.
struct Leaving {
  explicit Leaving(std::vector<int>& list) : seen(&list) {}
  ~Leaving() { seen->push_back(std::uncaught_exceptions()); }
  std::vector<int>* seen;
};

Coro<> lose(std::vector<int>& seen) {
  Leaving leaving(seen);
  co_await sleep(0s);
  throw Lost("lost");
}
Coro<> pass_on(std::vector<int>& seen) {
  Leaving leaving(seen);
  co_await lose(seen);
}
/// Rethrows what it has caught, after another exception has come and gone.
Coro<> catch_and_rethrow(std::vector<int>& seen, const void*& object) {
  try {
    co_await pass_on(seen);
  } catch (const Lost& lost) {
    object = &lost;
    EXPECT_EQ(std::uncaught_exceptions(), 0);
    try {
      throw std::logic_error("another");
    } catch (const std::logic_error&) {
    }
    throw;
  }
}

TEST(Coro, R10_an_exception_that_passes_through_awaits_is_the_one_that_was_thrown) {
  int before = Counted::alive;
  std::vector<int> seen;
  std::exception_ptr kept;
  run_virtual(
      [](std::vector<int>& leaving, std::exception_ptr& error) -> Coro<> {
        const void* thrown_object = nullptr;
        Task<> task = create_task(catch_and_rethrow(leaving, thrown_object));
        for (int i = 0; i < 2; ++i) {  // of a task any number of times
          try {
            co_await task;
            ADD_FAILURE() << "the task has failed";
          } catch (const Lost& lost) {
            EXPECT_EQ(&lost, thrown_object);
            EXPECT_STREQ(lost.what(), "lost");
            error = std::current_exception();
          }
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          EXPECT_EQ(std::current_exception(), nullptr);
        }
        EXPECT_EQ(task.exception(), error);
      },
      seen, kept);
  EXPECT_EQ(seen, (std::vector<int>{1, 1}));
  EXPECT_EQ(Counted::alive, before + 1);
  kept = nullptr;
  EXPECT_EQ(Counted::alive, before);
}

}  // namespace
