// SPDX-License-Identifier: BSL-1.0
// Context variables (A2.21), and fault 26: whatever a task goes through, it finds its own values
// again, and nobody else finds them.
#include "asyncio/context.hpp"

#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;
using test::thrown;

namespace {

ContextVar<std::string> who("who", "nobody");
ContextVar<int> number("number");

TEST(Context, A2_21_get_set_and_reset) {
  run_virtual([]() -> Coro<> {
    EXPECT_EQ(who.get(), "nobody");
    EXPECT_EQ(thrown([] { (void)number.get(); }),
              "asyncio::LookupError: context variable 'number' has no value");
    EXPECT_EQ(number.get(7), 7);
    auto first = number.set(1);
    auto second = number.set(2);
    EXPECT_EQ(first.old_value(), std::nullopt);
    EXPECT_EQ(second.old_value(), 1);
    number.reset(second);
    EXPECT_EQ(number.get(), 1);
    EXPECT_EQ(thrown([&] { number.reset(second); }),
              "asyncio::RuntimeError: the token of context variable 'number' has already been "
              "used once");
    number.reset(first);
    EXPECT_EQ(number.get(0), 0);
    ContextVar<int> other("other");
    auto token = other.set(1);
    EXPECT_EQ(thrown([&] { number.reset(token); }),
              "asyncio::ValueError: the token of context variable 'other' was created by a "
              "different ContextVar");
    other.reset(token);
    EXPECT_EQ(thrown([&] { number.reset(token); }),
              "asyncio::RuntimeError: the token of context variable 'other' has already been "
              "used once");
    co_return;
  });
}

TEST(Context, A2_21_token_of_another_context_is_refused_and_may_still_be_used_in_its_own) {
  auto token = who.set("ann");
  Context other = copy_context();
  EXPECT_EQ(thrown([&] { other.run([&] { who.reset(token); }); }),
            "asyncio::ValueError: the token of context variable 'who' was created in a different "
            "Context");
  who.reset(token);
  EXPECT_EQ(who.get(), "nobody");
}

TEST(Context, A2_21_token_of_a_task_is_refused_in_another_task) {
  run_virtual([]() -> Coro<> {
    std::optional<ContextVar<std::string>::Token> token;
    auto setter = [&]() -> Coro<> {
      token.emplace(who.set("ann"));
      co_await sleep(0s);
      current_task()->get_context();  // the context becomes an object; it stays the same one
      who.reset(*token);
      token.emplace(who.set("ben"));
    };
    co_await create_task(std::ref(setter));
    EXPECT_THROW(who.reset(*token), ValueError);
    EXPECT_EQ(who.get(), "nobody");
  });
}

TEST(Context, A2_21_token_goes_between_run_and_a_task_of_the_same_context) {
  run_virtual([]() -> Coro<> {
    Context context = copy_context();
    auto token = context.run([] { return who.set("ann"); });
    std::optional<ContextVar<std::string>::Token> of_task;
    auto task = [&]() -> Coro<> {
      EXPECT_EQ(who.get(), "ann");
      who.reset(token);
      of_task.emplace(who.set("ben"));
      co_await sleep(1s);
    };
    Task<> waits = create_task(TaskOptions().context(context), std::ref(task));
    co_await sleep(500ms);
    context.run([&] { who.reset(*of_task); });  // while the task is suspended
    EXPECT_EQ(context.run([] { return who.get(); }), "nobody");
    co_await waits;
  });
}

TEST(Context, A2_21_run_inside_a_run_of_the_same_context_is_refused) {
  const char* refusal =
      "asyncio::RuntimeError: cannot enter context: <Context object> is already entered";
  Context context = copy_context();
  Context other = copy_context();
  EXPECT_EQ(thrown([&] { context.run([&] { context.run([] {}); }); }), refusal);
  EXPECT_EQ(thrown([&] { context.run([&] { other.run([&] { context.run([] {}); }); }); }), refusal);
  EXPECT_NO_THROW(context.run([] {}));  // it was left
  EXPECT_NO_THROW(context.run([&] { context.copy().run([] {}); }));
  run_virtual([&]() -> Coro<> {
    EXPECT_EQ(thrown([] { current_task()->get_context().run([] {}); }), refusal);
    co_return;
  });
}

TEST(Context, A2_21_token_resets_at_the_end_of_a_with) {
  run_virtual([]() -> Coro<> {
    who.set("before");
    auto failed = co_await capture(with(who.set("inside"), []() -> Coro<> {
      co_await sleep(1s);
      EXPECT_EQ(who.get(), "inside");
      throw ValueError("out");
    }));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_EQ(who.get(), "before");
  });
}

TEST(Context, A2_21_run_keeps_what_is_set_and_copies_are_apart) {
  run_virtual([]() -> Coro<> {
    who.set("outer");
    Context context = copy_context();
    EXPECT_EQ(context.get(who), "outer");
    EXPECT_EQ(context.get(number), std::nullopt);
    EXPECT_EQ(context.size(), 1u);
    Context copy = context.copy();
    std::string seen = context.run(
        [](std::string add) {
          who.set(who.get() + add);
          return who.get();
        },
        " changed");
    EXPECT_EQ(seen, "outer changed");
    EXPECT_EQ(context.get(who), "outer changed");
    EXPECT_EQ(copy.get(who), "outer");
    EXPECT_EQ(who.get(), "outer");
    EXPECT_FALSE(copy == context);
    co_return;
  });
}

/// What `who` is in each part of a task that is cancelled, cleans up, and fails.
Coro<> troubled(std::string name, std::vector<std::string>& seen) {
  who.set(name);
  auto slept = co_await capture(sleep(1h));
  EXPECT_TRUE(slept.cancelled());
  seen.push_back(who.get());
  co_await sleep(1s);  // a clean-up that lets others run
  seen.push_back(who.get());
  auto failed = co_await capture(with(timeout(0s), []() -> Coro<> { co_await sleep(1h); }));
  EXPECT_TRUE(failed.holds<TimeoutError>());
  seen.push_back(who.get());
  throw ValueError(name);
}

TEST(Context, fault26_cancellations_and_exceptions_leave_every_task_its_own_value) {
  run_virtual([]() -> Coro<> {
    who.set("main");
    std::vector<std::vector<std::string>> seen(10);
    std::vector<Task<>> tasks;
    for (int i = 0; i < 10; ++i)
      tasks.push_back(create_task(troubled, "task " + std::to_string(i),
                                  std::ref(seen[static_cast<std::size_t>(i)])));
    co_await sleep(1s);
    for (auto& task : tasks) task.cancel();
    co_await wait(tasks);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_TRUE(tasks[i].exception());
      EXPECT_EQ(seen[i], std::vector<std::string>(3, "task " + std::to_string(i)));
      EXPECT_EQ(tasks[i].get_context().get(who), "task " + std::to_string(i));
    }
    EXPECT_EQ(who.get(), "main");
  });
  EXPECT_EQ(who.get(), "nobody");  // the thread's own value
}

TEST(Context, fault26_callbacks_of_each_kind_run_in_the_context_of_their_registration) {
  run_virtual([]() -> Coro<> {
    EventLoop loop = get_running_loop();
    test::ReportCapture reports(loop);
    std::vector<std::string> seen;
    auto note = [&seen] {
      seen.push_back(who.get());
      who.set("a callback");  // stays in its copy
    };
    auto note_and_throw = [&seen] {
      seen.push_back(who.get());
      who.set("a callback that throws");
      throw ValueError("callback");
    };
    auto future = loop.create_future();
    who.set("registered");
    loop.call_soon(note_and_throw);
    loop.call_soon_threadsafe(note);
    loop.call_later(1s, note_and_throw);
    future.add_done_callback(note_and_throw);
    Context given = copy_context();
    given.run([] { who.set("given"); });
    loop.call_soon(given, note);
    future.add_done_callback(note, given);
    who.set("changed since");
    future.set_result();
    co_await sleep(2s);
    EXPECT_EQ(seen, (std::vector<std::string>{"registered", "registered", "given", "registered",
                                              "a callback", "registered"}));
    EXPECT_EQ(given.get(who), "a callback");  // it ran in this very context
    EXPECT_EQ(who.get(), "changed since");
    loop.set_exception_handler({});
  });
}

TEST(Context, fault26_a_thread_sees_a_copy_and_changes_only_that) {
  run([]() -> Coro<> {
    who.set("main");
    auto blocking = []() -> std::string {
      std::string seen = who.get();
      who.set("thread");
      return seen + ", " + who.get();
    };
    std::string seen = co_await to_thread(blocking);
    EXPECT_EQ(seen, "main, thread");
    EXPECT_EQ(who.get(), "main");
    auto fails = [] {
      who.set("thread");
      throw ValueError("thread");
    };
    auto failed = co_await capture(to_thread(fails));
    EXPECT_TRUE(failed.holds<ValueError>());
    EXPECT_EQ(who.get(), "main");
    // run_in_executor copies nothing: the thread has its own values, as in Python.
    std::string plain =
        co_await get_running_loop().run_in_executor(nullptr, [] { return who.get(); });
    EXPECT_EQ(plain, "nobody");
    EXPECT_EQ(who.get(), "main");
  });
}

TEST(Context, fault26_work_from_another_thread_brings_the_values_of_that_thread) {
  run([]() -> Coro<> {
    who.set("main");
    EventLoop loop = get_running_loop();
    Event done;
    std::string in_callback;
    std::string in_task;
    auto task = [&in_task]() -> Coro<> {
      in_task = who.get();
      co_await sleep(0s);
      who.set("task");
    };
    std::jthread worker([&] {
      who.set("worker");
      run_coroutine_threadsafe(task(), loop).result();
      loop.call_soon_threadsafe([&] {
        in_callback = who.get();
        done.set();
      });
      EXPECT_EQ(who.get(), "worker");
    });
    co_await done.wait();
    EXPECT_EQ(in_callback, "worker");
    EXPECT_EQ(in_task, "worker");
    EXPECT_EQ(who.get(), "main");
  });
}

TEST(Context, fault26_eager_start_generators_and_awaits_keep_apart_what_has_to_be) {
  run_virtual([]() -> Coro<> {
    who.set("main");
    auto body = []() -> Coro<> {
      who.set("eager");
      co_await sleep(1s);
      EXPECT_EQ(who.get(), "eager");
    };
    Task<> eager = create_task(TaskOptions().eager_start(true), body);
    EXPECT_EQ(who.get(), "main");

    auto inline_body = []() -> Coro<> {
      who.set("awaited");
      co_return;
    };
    co_await inline_body();  // runs in this task, so its value stays
    EXPECT_EQ(who.get(), "awaited");

    auto generate = []() -> AsyncGenerator<std::string> {
      while (true) co_yield who.get();
    };
    auto generator = generate();
    auto first = co_await generator.next();
    who.set("later");
    auto second = co_await generator.next();
    EXPECT_EQ(*first + ", " + *second, "awaited, later");
    co_await generator.aclose();
    co_await eager;
    EXPECT_EQ(who.get(), "later");
  });
}

TEST(Context, fault26_an_interrupt_out_of_a_task_restores_the_value_of_the_thread) {
  EventLoop loop = test::new_virtual_loop();
  auto body = []() -> Coro<> {
    who.set("task");
    throw KeyboardInterrupt("stop");
    co_return;
  };
  loop.create_task(body());
  EXPECT_EQ(thrown([&] { loop.run_forever(); }), "asyncio::KeyboardInterrupt: stop");
  EXPECT_EQ(who.get(), "nobody");
  Context context = copy_context();
  auto fails = [] {
    who.set("inside");
    throw ValueError("out");
  };
  EXPECT_EQ(thrown([&] { context.run(fails); }), "asyncio::ValueError: out");
  EXPECT_EQ(who.get(), "nobody");
  EXPECT_EQ(context.get(who), "inside");
  loop.close();
}

}  // namespace
