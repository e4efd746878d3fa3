// SPDX-License-Identifier: BSL-1.0
#include "asyncio/generator.hpp"

#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::thrown;

namespace {

using Trace = std::vector<std::string>;

/// Counts up until it is closed; its clean-up awaits.
AsyncGenerator<int> count(Trace* trace, std::string name, Counted = Counted()) {
  std::exception_ptr error;
  try {
    for (int i = 1;; ++i) {
      co_yield i;
      co_await sleep(1s);
    }
  } catch (...) {  // Rethrown after the clean-up.
    error = std::current_exception();
  }
  co_await sleep(1s);
  trace->push_back(name + " cleaned up after " + describe_exception(error));
  std::rethrow_exception(error);
}

// Fault 200 -----------------------------------------------------------------------------------

TEST(Generator, fault200_half_iterated_ones_clean_up_once_when_run_ends) {
  Trace trace;
  int before = Counted::alive;
  run_virtual([&]() -> Coro<> {
    static std::vector<AsyncGenerator<int>>* kept;
    kept = new std::vector<AsyncGenerator<int>>;  // outlives the coroutine
    for (const char* name : {"first", "second", "third"}) {
      kept->push_back(count(&trace, name));
      auto item = co_await kept->back().next();
      EXPECT_EQ(item, 1);
    }
    get_running_loop().call_soon([] {});
    current_task()->add_done_callback([] { delete kept; });
  });
  std::ranges::sort(trace);
  EXPECT_EQ(trace, (Trace{"first cleaned up after asyncio::GeneratorExit",
                          "second cleaned up after asyncio::GeneratorExit",
                          "third cleaned up after asyncio::GeneratorExit"}));
  EXPECT_EQ(Counted::alive, before);
}

TEST(Generator, fault200_one_that_is_still_held_at_the_end_is_closed_by_run) {
  Trace trace;
  std::optional<AsyncGenerator<int>> held;
  run_virtual([&]() -> Coro<> {
    held.emplace(count(&trace, "held"));
    co_await held->next();
    co_await held->next();
  });
  EXPECT_EQ(trace, Trace(1, "held cleaned up after asyncio::GeneratorExit"));
  held.reset();
  EXPECT_EQ(trace.size(), 1u);
}

TEST(Generator, fault200_dropped_one_is_closed_soon_in_a_task_of_its_own) {
  Trace trace;
  int before = Counted::alive;
  run_virtual([&]() -> Coro<> {
    {
      auto dropped = count(&trace, "dropped");
      co_await dropped.next();
    }
    EXPECT_TRUE(trace.empty());
    co_await sleep(2s);
    EXPECT_EQ(trace, Trace(1, "dropped cleaned up after asyncio::GeneratorExit"));
  });
  EXPECT_EQ(trace.size(), 1u);
  EXPECT_EQ(Counted::alive, before);
}

TEST(Generator, fault200_closed_ended_or_never_begun_there_is_nothing_to_clean_up_at_the_end) {
  Trace trace;
  test::LogCapture log;
  run_virtual([&]() -> Coro<> {
    auto closed = count(&trace, "closed");
    co_await closed.next();
    co_await closed.aclose();
    co_await closed.aclose();
    auto end = co_await closed.next();
    EXPECT_FALSE(end);
    auto never = count(&trace, "never");
    (void)never;
  });
  EXPECT_EQ(trace, Trace(1, "closed cleaned up after asyncio::GeneratorExit"));
  EXPECT_TRUE(log.records.empty()) << log.all();
}

TEST(Generator, D3_fault200_error_of_a_clean_up_at_the_end_is_reported_once) {
  test::LogCapture log;
  auto fails = []() -> AsyncGenerator<int> {
    try {
      co_yield 1;
    } catch (const GeneratorExit&) {
      throw ValueError("clean-up");
    }
  };
  std::optional<AsyncGenerator<int>> held;
  run_virtual([&]() -> Coro<> {
    held.emplace(fails());
    co_await held->next();
  });
  EXPECT_EQ(log.count("ValueError: clean-up"), 1) << log.all();
}

TEST(Generator, R3_loop_closed_without_run_frees_the_frame_and_runs_nothing) {
  Trace trace;
  int before = Counted::alive;
  {
    EventLoop loop = test::new_virtual_loop();
    std::optional<AsyncGenerator<int>> held;
    auto begin = [&]() -> Coro<> {
      held.emplace(count(&trace, "held"));
      co_await held->next();
    };
    loop.run_until_complete(begin());
    loop.close();
  }
  EXPECT_TRUE(trace.empty());
  EXPECT_EQ(Counted::alive, before);
}

// A2.19 ---------------------------------------------------------------------------------------

TEST(Generator, A2_19_asend_athrow_and_aclose) {
  run_virtual([]() -> Coro<> {
    auto echo = []() -> AsyncGenerator<std::string, int> {
      std::string text = "start";
      while (true) {
        try {
          int sent = co_yield text;
          text = "got " + std::to_string(sent);
        } catch (const ValueError& error) {
          text = std::string("caught ") + error.what();
        }
      }
    };
    auto generator = echo();
    auto first = co_await generator.next();
    auto second = co_await generator.asend(5);
    auto third = co_await generator.athrow(std::make_exception_ptr(ValueError("thrown in")));
    EXPECT_EQ(*first + ", " + *second + ", " + *third, "start, got 5, caught thrown in");
    auto out = co_await capture(generator.athrow(std::make_exception_ptr(LookupError("out"))));
    EXPECT_TRUE(out.holds<LookupError>());
    auto end = co_await generator.asend(1);
    EXPECT_FALSE(end);
  });
}

TEST(Generator, A2_19_two_tasks_cannot_iterate_at_once) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto shared = count(&trace, "shared");
    auto iterate = [](AsyncGenerator<int>& generator) -> Coro<> {
      for (int i = 0; i < 3; ++i) co_await generator.next();
    };
    Task<> first = create_task(iterate, std::ref(shared));
    Task<> second = create_task(iterate, std::ref(shared));
    co_await wait(first, second);
    EXPECT_EQ(first.exception() ? 1 : 0, 0);
    EXPECT_NE(describe_exception(second.exception()).find("RuntimeError"), std::string::npos);
    co_await shared.aclose();
  });
}

TEST(Generator, A2_19_adaptors_make_comprehensions) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    auto even = filter(count(&trace, "source"), [](int i) { return i % 2 == 0; });
    auto squares = transform(std::move(even), [](int i) -> Coro<int> {
      co_await sleep(1s);
      co_return i* i;
    });
    std::vector<int> first = co_await collect(take(std::move(squares), 3));
    EXPECT_EQ(first, (std::vector<int>{4, 16, 36}));
    co_await sleep(10s);
    EXPECT_EQ(trace.size(), 1u) << "the source was closed once, through the others";
  });
}

TEST(Generator, A2_20_aclosing_closes_what_is_left_early) {
  run_virtual([]() -> Coro<> {
    Trace trace;
    co_await with(aclosing(count(&trace, "temporary")), [](AsyncGenerator<int>& numbers) -> Coro<> {
      auto first = co_await numbers.next();
      EXPECT_EQ(first, 1);
    });
    EXPECT_EQ(trace.size(), 1u);
    auto named = count(&trace, "named");
    auto failed =
        co_await capture(with(aclosing(named), [](AsyncGenerator<int>& numbers) -> Coro<> {
          co_await numbers.next();
          throw ValueError("in the body");
        }));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_EQ(trace.size(), 2u);
    auto end = co_await named.next();
    EXPECT_FALSE(end);
  });
}

AsyncGenerator<int> fails_when_closed() {
  auto fail = [] { throw ValueError("in the clean-up"); };
  co_await sleep(0s);
  try {
    co_yield 1;
  } catch (const GeneratorExit&) {
    fail();
  }
}

TEST(Generator, A2_19_D3_a_failed_clean_up_names_the_generator) {
  test::LogCapture log;
  run_virtual([]() -> Coro<> {
    auto dropped = std::make_unique<AsyncGenerator<int>>(fails_when_closed());
    co_await dropped->next();
    dropped.reset();
    co_await sleep(0s);
    co_await sleep(0s);
    auto left = fails_when_closed();
    co_await left.next();
    co_await get_running_loop().shutdown_asyncgens();
  });
  EXPECT_EQ(log.count("in the clean-up", "created at: "), 2) << log.all();
  EXPECT_EQ(log.count("during closing of asynchronous generator 'fails_when_closed'"), 1)
      << log.all();
  EXPECT_EQ(log.count("src/core"), 0) << log.all();
}

AsyncGenerator<std::string> growing() {
  std::string text;
  for (int i = 0; i < 3; ++i) {
    text += "a";
    co_yield text;
  }
}

AsyncGenerator<std::unique_ptr<int>> owners() {
  auto owned = std::make_unique<int>(7);
  co_yield std::move(owned);
  co_yield std::make_unique<int>(8);
}

TEST(Generator, A2_19_the_generator_keeps_what_it_yields_by_name) {
  run_virtual([]() -> Coro<> {
    std::string all;
    auto generator = growing();
    while (auto text = co_await generator.next()) all += *text + " ";
    EXPECT_EQ(all, "a aa aaa ");
    auto moved = owners();
    auto first = co_await moved.next();
    auto second = co_await moved.next();
    EXPECT_EQ(**first + **second, 15);
    co_await moved.aclose();
  });
}

}  // namespace
