// SPDX-License-Identifier: BSL-1.0
// The public kit for simulated loops, and what only they do.
#include "asyncio/testing/simulated.hpp"

#include "asyncio/gather.hpp"
#include "asyncio/queue.hpp"
#include "asyncio/server.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/task.hpp"
#include "asyncio/threads.hpp"
#include "asyncio/wall_time.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::block_for;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;

Coro<std::int64_t> hours_passed(int count) {
  co_await sleep(std::chrono::hours(count));
  co_return get_running_loop().time().time_since_epoch() / 1h;
}

TEST(Simulated, D8_time_passes_at_once) {
  auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(run_simulated(hours_passed(24 * 365)), 24 * 365);
  EXPECT_EQ(run_simulated(hours_passed, 5), 5);
  EXPECT_EQ(run_simulated(Seed(3), hours_passed, 5), 5);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
}

TEST(Simulated, D8_results_of_every_kind) {
  auto number = [](std::unique_ptr<int> value) -> Coro<std::unique_ptr<int>> { co_return value; };
  EXPECT_EQ(*run_simulated(number(std::make_unique<int>(7))), 7);
  EXPECT_EQ(*run_simulated(number, std::make_unique<int>(8)), 8);
  auto fails = []() -> Coro<> {
    co_await sleep(1s);
    throw ValueError("out");
  };
  EXPECT_EQ(test::thrown([&] { run_simulated(fails); }), "asyncio::ValueError: out");
}

TEST(Simulated, D8_blocking_code_moves_the_clock) {
  run_simulated([]() -> Coro<> {
    auto began = get_running_loop().time();
    block_for(10min);
    block_for(-1s);
    EXPECT_EQ(get_running_loop().time() - began, 10min);
    co_return;
  });
  auto began = std::chrono::steady_clock::now();
  block_for(2ms);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 2ms);
}

TEST(Simulated, D8_the_time_of_day_begins_with_2030_and_passes_with_the_clock) {
  for (std::uint64_t seed : {0, 1}) {
    auto look = []() -> Coro<> {
      auto begin = std::chrono::system_clock::time_point(std::chrono::sys_days(2030y / 1 / 1));
      EXPECT_EQ(wall_time(), begin);
      co_await sleep(25h);
      EXPECT_EQ(wall_time() - begin, 25h);
      block_for(10min);
      EXPECT_EQ(wall_time() - begin, 25h + 10min);
      block_for(24h * 365 * 290);  // beyond what a time of day can be
      EXPECT_GT(wall_time(), begin);
    };
    run_simulated(look(), seed);
  }
}

TEST(Simulated, addresses_are_taken_and_freed) {
  run_simulated([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    Server any = co_await start_server(handler, "0.0.0.0", 80);
    std::string taken;
    try {
      co_await start_server(handler, "10.0.0.1", 80);
    } catch (const OSError& e) {
      taken = e.what();
    }
    EXPECT_EQ(taken, "bind 10.0.0.1:80: Address already in use");
    any.close();
    co_await any.wait_closed();
    Server one = co_await start_server(handler, "10.0.0.1", 80);
    std::string refused;
    try {
      co_await open_connection("10.0.0.2", 80);
    } catch (const ConnectionRefusedError& e) {
      refused = e.what();
    }
    EXPECT_EQ(refused, "connect 10.0.0.2:80: Connection refused");
    Streams streams = co_await open_connection("10.0.0.1", 80);
    EXPECT_EQ(streams.second.peername().str(), "10.0.0.1:80");
    one.close();
    co_await one.wait_closed();
  });
}

TEST(Simulated, D8_reuse_port_is_refused) {
  run_simulated([]() -> Coro<> {
    ServerOptions options;
    options.reuse_port(true);
    auto handler = [](StreamReader, StreamWriter) {};
    std::string error;
    try {
      co_await start_server(handler, "10.0.0.1", 80, options);
    } catch (const OSError& e) {
      error = e.what();
    }
    EXPECT_EQ(error, "setsockopt: Protocol not available");
  });
}

/// Who connects while the backlog is full waits for a place.
TEST(Simulated, full_backlog_delays_connections) {
  run_simulated([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    ServerOptions options;
    options.backlog(0).start_serving(false);
    Server server = co_await start_server(handler, "10.0.0.1", 80, options);
    std::string refused;
    try {  // bound, but not listening
      co_await open_connection("10.0.0.1", 80);
    } catch (const ConnectionRefusedError&) {
      refused = "refused";
    }
    EXPECT_EQ(refused, "refused");
    co_await server.start_serving();
    std::vector<Task<Streams>> clients;
    for (int i = 0; i < 5; ++i)
      clients.push_back(create_task(
          []() -> Coro<Streams> { co_return co_await open_connection("10.0.0.1", 80); }));
    for (auto& task : clients) co_await task;
    server.close();
    co_await server.wait_closed();
  });
}

// --- Deadlocks ----------------------------------------------------------------------------------

const char* const kDeadlock =
    "asyncio::RuntimeError: deadlock: no task can ever run again, since nothing is ready, no timer "
    "is armed and no thread works for the loop";

Coro<> takes(Queue<int>& queue) { co_await queue.get(); }
Coro<> takes_event(Event& event) { co_await event.wait(); }

TEST(Simulated, D8_fault15_a_deadlock_is_an_error_that_names_the_tasks) {
  auto main = []() -> Coro<> {
    Queue<int> queue;
    Task<> taker = create_task(TaskOptions().name("taker"), takes, std::ref(queue));
    co_await sleep(1h);
    co_await taker;
  };
  std::string error = test::thrown([&] { run_simulated(main); });
  EXPECT_TRUE(error.starts_with(kDeadlock)) << error;
  EXPECT_NE(error.find("waits for task 'taker' in "), std::string::npos) << error;
  EXPECT_NE(error.find("task 'taker' of coroutine 'takes'"), std::string::npos) << error;
  EXPECT_NE(error.find(", waits for Queue.get in 'takes' at "), std::string::npos) << error;
  EXPECT_NE(error.find("simulated.cpp:"), std::string::npos) << error;
}

TEST(Simulated, D8_fault15_locks_taken_in_different_orders) {
  auto main = []() -> Coro<> {
    Lock first;
    Lock second;
    auto take = [](Lock& one, Lock& other) -> Coro<> {
      auto outer = co_await one.scoped();
      co_await sleep(1s);
      auto inner = co_await other.scoped();
    };
    co_await gather(take(first, second), take(second, first));
  };
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    std::string error = test::thrown([&] { run_simulated(Seed(seed), main); });
    EXPECT_TRUE(error.starts_with(kDeadlock)) << error;
    EXPECT_NE(error.find("waits for Future (task 'Task-"), std::string::npos) << error;
    EXPECT_NE(error.find("waits for Lock.acquire"), std::string::npos) << error;
  }
}

Coro<> meets(Barrier& barrier) { co_await barrier.wait(); }
Coro<> leads(Event& event) {
  co_await with(TaskGroup(), [&event](TaskGroup& group) -> Coro<> {
    group.create_task(takes_event, std::ref(event));
    co_return;
  });
}

TEST(Simulated, D8_a_deadlock_inside_the_library_names_the_line_of_its_caller) {
  auto main = []() -> Coro<> {
    Barrier barrier(2);
    Event event;
    co_await gather(meets(barrier), leads(event));
  };
  std::string error = test::thrown([&] { run_simulated(main); });
  EXPECT_NE(error.find(" in 'meets' at "), std::string::npos) << error;
  EXPECT_NE(error.find(", waits for TaskGroup.aexit"), std::string::npos) << error;
  EXPECT_NE(error.find(" in 'leads' at "), std::string::npos) << error;
  EXPECT_EQ(error.find("src/core"), std::string::npos) << error;
}

TEST(Simulated, D8_a_read_from_a_peer_that_never_writes_is_a_deadlock) {
  auto main = []() -> Coro<> {
    auto serve = [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(1); };
    Server server = co_await start_server(serve, "localhost", 80);
    auto [reader, writer] = co_await open_connection("localhost", 80);
    co_await reader.read(1);
  };
  std::string error = test::thrown([&] { run_simulated(main); });
  EXPECT_TRUE(error.starts_with(kDeadlock)) << error;
  EXPECT_NE(error.find("waits for StreamReader.read"), std::string::npos) << error;
}

TEST(Simulated, D8_a_loop_without_tasks_says_so) {
  EventLoop loop = asyncio::testing::new_simulated_event_loop();
  EXPECT_EQ(test::thrown([&] { loop.run_forever(); }),
            std::string(kDeadlock) + "; there is no task");
  loop.call_soon([loop]() mutable { loop.stop(); });
  loop.run_forever();
  loop.close();
}

TEST(Simulated, D8_work_in_a_thread_is_no_deadlock) {
  auto main = []() -> Coro<int> {
    co_return co_await to_thread([] {
      std::this_thread::sleep_for(50ms);
      return 5;
    });
  };
  EXPECT_EQ(run_simulated(main), 5);
}

TEST(Simulated, D8_a_thread_that_the_loop_does_not_know_gets_a_while) {
  auto main = []() -> Coro<> {
    auto future = get_running_loop().create_future();
    std::jthread stranger([loop = get_running_loop(), &future]() mutable {
      std::this_thread::sleep_for(50ms);
      loop.call_soon_threadsafe([&future] { future.set_result(); });
    });
    co_await future;
  };
  run_simulated(main);
}

TEST(Simulated, D8_a_signal_handler_is_no_deadlock) {
  auto main = []() -> Coro<> {
    EventLoop loop = get_running_loop();
    auto future = loop.create_future();
    loop.add_signal_handler(SIGUSR1, [future]() mutable { future.set_result(); });
    std::jthread sender([] {
      std::this_thread::sleep_for(50ms);
      ::kill(::getpid(), SIGUSR1);
    });
    co_await future;
    EXPECT_TRUE(loop.remove_signal_handler(SIGUSR1));
    EXPECT_FALSE(loop.remove_signal_handler(SIGUSR1));
  };
  run_simulated(main);
}

}  // namespace
