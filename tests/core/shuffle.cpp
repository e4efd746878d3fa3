// SPDX-License-Identifier: BSL-1.0
/// Fault 25: nothing depends on the order in which tasks that are ready in the same iteration run,
/// where no order is promised. tests/support/seeds.hpp shuffles the other random tests, too.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "seeds.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Counted;
using test::run_virtual;
using test::yields;

namespace {

using Trace = std::vector<int>;

template <class F>
void run_shuffled(std::uint64_t seed, F&& main) {
  run(main(), RunOptions().loop_factory([seed] {
    EventLoop loop = test::new_virtual_loop();
    loop.impl().shuffle_tasks(seed);
    return loop;
  }));
}

/// The order in which ten tasks take three steps each.
Trace order_of_tasks(std::uint64_t seed) {
  Trace trace;
  run_shuffled(seed, [&]() -> Coro<> {
    auto steps = [&trace](int number) -> Coro<> {
      for (int i = 0; i < 3; ++i) {
        trace.push_back(number);
        co_await sleep(0s);
      }
    };
    std::vector<Coro<>> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(steps(i));
    co_await gather(std::move(tasks));
  });
  return trace;
}

TEST(Shuffle, fault25_the_seed_decides_the_order_of_tasks_and_each_step_is_taken_once) {
  std::set<Trace> orders;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Trace trace = order_of_tasks(seed);
    EXPECT_EQ(trace, order_of_tasks(seed)) << "seed " << seed;
    ASSERT_EQ(trace.size(), 30u);
    for (std::size_t round = 0; round < 3; ++round)
      EXPECT_EQ(std::set<int>(trace.begin() + static_cast<std::ptrdiff_t>(10 * round),
                              trace.begin() + static_cast<std::ptrdiff_t>(10 * round + 10))
                    .size(),
                10u);
    orders.insert(trace);
  }
  EXPECT_EQ(orders.size(), 100u);
}

TEST(Shuffle, fault25_callbacks_keep_the_order_that_is_promised) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Trace trace;
    run_shuffled(seed, [&]() -> Coro<> {
      EventLoop loop = get_running_loop();
      auto future = loop.create_future();
      auto note = [&trace](int number) { trace.push_back(number); };
      for (int i = 0; i < 5; ++i) {
        create_task([]() -> Coro<> { co_await sleep(0s); });  // between them
        loop.call_soon(note, i);
        loop.call_at(loop.time() + 1s, note, 10 + i);
        future.add_done_callback([note, i] { note(5 + i); });
      }
      co_await sleep(0s);
      future.set_result();
      co_await sleep(2s);
    });
    Trace promised;
    for (int i = 0; i < 15; ++i) promised.push_back(i);
    EXPECT_EQ(trace, promised) << "seed " << seed;
  }
}

// A random program ------------------------------------------------------------------------------

/// A tree of tasks under every combinator, some of which fail, some of which are cancelled.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  Coro<> run() {
    get_running_loop().set_exception_handler([this](EventLoop, const ExceptionContext& context) {
      if (context.exception) arrived(context.exception);
    });
    {
      Task<> root = create_task(gather_values(4));
      for (int i = 0; i < 8; ++i) {
        co_await yields(random_.below(3));
        if (random_.one_in(4)) co_await sleep(1ms);
        cancel_one();
      }
      auto outcome = co_await capture(root);
      note(outcome);
    }
    for (int i = 0; i < 100 && all_tasks().size() > 1; ++i) co_await sleep(1s);
    EXPECT_EQ(all_tasks().size(), 1u) << "a task never ends";
    co_await sleep(1s);  // those who waited for the last one let go of it
    EXPECT_EQ(current_task()->cancelling(), 0);
    get_running_loop().set_exception_handler({});
  }

  /// How often each exception that was thrown has arrived: at who awaited, or in the handler.
  std::map<std::string, int> arrivals;

 private:
  /// A coroutine that does something, which may be to wait for others.
  Coro<> node(int depth) {
    int kind = random_.below(depth == 0 ? 4 : 14);
    switch (kind) {
      case 0:
        return pass();
      case 1:
        return nap();
      case 2:
        return fail();
      case 3:
        return clean_up_and_fail();
      case 4:
        return gather_values(depth);
      case 5:
        return gather_results(depth);
      case 6:
        return group(depth);
      case 7:
        return wait_some(depth);
      case 8:
        return shielded(depth);
      case 9:
        return limited(depth);
      case 10:
        return in_a_timeout(depth);
      case 11:
        return completed(depth);
      case 12:
        return detached(depth);
      default:
        return through_then(depth);
    }
  }

  Coro<> pass(Counted = Counted()) { co_await yields(random_.below(3)); }
  Coro<> nap(Counted = Counted()) { co_await sleep(some_time()); }
  Coro<> fail(Counted = Counted()) {
    co_await yields(random_.below(3));
    fail_now();
  }
  Coro<> clean_up_and_fail(Counted = Counted()) {
    auto slept = co_await capture(sleep(some_time()));
    auto cleaned = co_await capture(sleep(1ms));
    if (random_.one_in(2)) fail_now();
    slept.value();
    cleaned.value();
  }

  Coro<> gather_values(int depth, Counted = Counted()) {
    auto outcome = co_await capture(gather(node(depth - 1), node(depth - 1), node(depth - 1)));
    end(outcome);
  }
  Coro<> gather_results(int depth, Counted = Counted()) {
    auto all = gather(return_exceptions, node(depth - 1), node(depth - 1));
    auto outcome = co_await capture(all);
    // Also if a cancellation came with the results: they are in the future.
    if (all.done() && !all.exception()) {
      note(std::get<0>(all.result()));
      note(std::get<1>(all.result()));
    }
    end(outcome);
  }
  Coro<> group(int depth, Counted = Counted()) {
    auto body = [&](TaskGroup& tasks) -> Coro<> {
      for (int i = random_.below(4); i > 0; --i) tasks.create_task(node(depth - 1));
      co_await yields(random_.below(3));
      if (random_.one_in(4)) tasks.cancel();
      if (random_.one_in(4)) fail_now();
    };
    auto outcome = co_await capture(with(TaskGroup(), body));
    end(outcome);
  }
  Coro<> wait_some(int depth, Counted = Counted()) {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(node(depth - 1)));
    ReturnWhen when = random_.one_in(2) ? FIRST_COMPLETED : FIRST_EXCEPTION;
    auto waited = co_await capture(wait(tasks, when, 3ms));
    if (waited.has_value()) {
      for (auto& task : waited->pending) task.cancel();
      for (auto& task : tasks) {
        auto ended = co_await capture(task);
        note(ended);
        if (current_task()->cancelling() > 0) break;  // perhaps that was this task's cancellation
      }
    }
    end(waited);
  }
  Coro<> shielded(int depth, Counted = Counted()) {
    auto outcome = co_await capture(shield(create_task(node(depth - 1))));
    end(outcome);
  }
  Coro<> limited(int depth, Counted = Counted()) {
    auto outcome = co_await capture(wait_for(node(depth - 1), some_time()));
    end(outcome);
  }
  Coro<> in_a_timeout(int depth, Counted = Counted()) {
    auto body = [&]() -> Coro<> { co_await node(depth - 1); };
    auto outcome = co_await capture(with(timeout(some_time()), body));
    end(outcome);
  }
  Coro<> completed(int depth, Counted = Counted()) {
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(create_task(node(depth - 1)));
    auto arriving = as_completed(tasks);
    tasks.clear();
    for (int i = 0; i < 3; ++i) {
      auto next = co_await arriving.next();
      auto ended = co_await capture(std::move(*next));
      note(ended);
    }
  }
  Coro<> detached(int depth, Counted = Counted()) {
    create_task(node(depth - 1));
    co_await yields(1);
  }
  Coro<> through_then(int depth, Counted = Counted()) {
    auto outcome = co_await capture(create_task(node(depth - 1)).then([] { return 1; }));
    end(outcome);
  }

  Delay some_time() { return std::chrono::milliseconds(random_.below(5)); }

  [[noreturn]] void fail_now() {
    std::string name = "error " + std::to_string(arrivals.size());
    arrivals[name] = 0;
    throw ValueError(name);
  }

  /// What a node does after it has waited: passes a cancellation on, or goes its own way.
  template <class R>
  void end(const R& outcome) {
    note(outcome);
    if (outcome.cancelled()) outcome.rethrow();
    if (random_.one_in(4)) fail_now();
  }

  template <class R>
  void note(const R& outcome) {
    if (outcome.has_exception()) arrived(outcome.exception());
  }
  void arrived(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const ExceptionGroup& group) {
      for (const auto& each : group.exceptions()) arrived(each);
    } catch (const ValueError& failure) {
      ++arrivals.at(failure.what());
    } catch (const CancelledError&) {
    } catch (const TimeoutError&) {
    }
  }

  void cancel_one() {
    auto tasks = all_tasks();
    TaskHandle chosen =
        tasks[static_cast<std::size_t>(random_.below(static_cast<int>(tasks.size())))];
    if (!(chosen == *current_task())) chosen.cancel();
  }

  test::Random random_;
};

TEST(Shuffle, fault25_R1_R4_D3_random_programs_end_and_lose_nothing) {
  int programs = 0;
  int failures = 0;
  test::for_each_seed([&](std::uint64_t seed) {
    ++programs;
    int before = Counted::alive;
    Program program(seed);
    run_virtual([&]() -> Coro<> { return program.run(); });
    EXPECT_EQ(Counted::alive, before);
    for (const auto& [name, count] : program.arrivals) {
      EXPECT_EQ(count, 1) << name;
      ++failures;
    }
  });
  if (programs > 10) {
    EXPECT_GT(failures, programs) << "the programs try too little";
  }
}

}  // namespace
