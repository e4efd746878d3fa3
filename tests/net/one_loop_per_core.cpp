// SPDX-License-Identifier: BSL-1.0
// More cores: a loop on each, with one port for all, and work that goes from one to another.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

constexpr std::size_t kLoops = 4;

/// What one loop has; used on its thread alone, but for `stop` and `loop`.
class Core {
 public:
  Coro<> serve(std::uint16_t port, std::latch& ready) {
    loop = get_running_loop();
    auto handler = [this](StreamReader reader, StreamWriter writer) {
      return echo(std::move(reader), std::move(writer));
    };
    Server server =
        co_await start_server(handler, "127.0.0.1", port, ServerOptions().reuse_port(true));
    ready.arrive_and_wait();
    co_await stopping.wait();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  }
  void stop() {
    loop->call_soon_threadsafe([this] { stopping.set(); });
  }

  std::optional<EventLoop> loop;
  Event stopping;
  int clients = 0;
  int told = 0;
  std::thread::id thread = std::this_thread::get_id();

 private:
  Coro<> echo(StreamReader reader, StreamWriter writer) {
    ++clients;
    while (auto line = co_await reader.next()) co_await writer.send(*line);
    writer.close();
  }
};

class OneLoopPerCore : public test::BackendTest {
 public:
  /// Runs kLoops servers at one port, and `body(cores, port)` on a loop of its own beside them.
  template <class F>
  void beside(F body) {
    auto before = test::open_descriptors();
    {
      // Holds the port, and gets no connection, since it does not listen.
      std::vector<Core> cores(kLoops);
      std::latch ready(kLoops + 1);
      RunOptions how = options();
      // The first server chooses one: it has to be free when the others come, as well.
      std::uint16_t port = asyncio::run(test::free_port(ServerOptions().reuse_port(true)), how);
      std::vector<std::jthread> threads;
      for (Core& core : cores)
        threads.emplace_back([&, how] {
          core.thread = std::this_thread::get_id();
          asyncio::run(core.serve(port, ready), how);
        });
      ready.arrive_and_wait();
      asyncio::run(body(cores, port), how);
      for (Core& core : cores) core.stop();
    }
    EXPECT_EQ(test::open_descriptors(), before);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, OneLoopPerCore, test::real_backends, test::backend_name);

Coro<bool> echoed(std::uint16_t port, int number) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  std::string line = "client " + std::to_string(number) + "\n";
  co_await writer.send(line);
  std::string answer = co_await reader.readline();
  writer.close();
  co_await writer.wait_closed();
  co_return answer == line;
}

Coro<int> clients_of(Core& core) {
  EXPECT_EQ(std::this_thread::get_id(), core.thread) << "a coroutine runs on the loop it is for";
  co_return core.clients;
}

Coro<std::vector<int>> all_clients(std::vector<Core>& cores) {
  std::vector<int> counts;
  for (Core& core : cores) {
    auto answer = run_coroutine_threadsafe(clients_of(core), *core.loop);
    int count = co_await wrap_future(answer);
    counts.push_back(count);
  }
  co_return counts;
}

TEST_P(OneLoopPerCore, issue3_connections_are_dealt_out_and_every_one_is_served) {
  beside([](std::vector<Core>& cores, std::uint16_t port) -> Coro<> {
    const int kClients = 400;
    for (int i = 0; i < kClients; i += 20) {
      std::vector<Task<bool>> tasks;
      for (int k = 0; k < 20; ++k) tasks.push_back(create_task(echoed, port, i + k));
      for (auto& task : tasks) {
        bool same = co_await task;
        EXPECT_TRUE(same);
      }
    }
    std::vector<int> counts = co_await all_clients(cores);
    EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), 0), kClients);
    for (int count : counts) EXPECT_GT(count, kClients / 20) << "each has its share";
  });
}

/// Every loop asks and tells every other one, all at the same time.
TEST_P(OneLoopPerCore, issue3_work_goes_from_each_loop_to_each_other_one) {
  static constexpr int kRounds = test::rounds(20'000);
  beside([](std::vector<Core>& cores, std::uint16_t) -> Coro<> {
    auto talk = [&cores](std::size_t own) -> Coro<int> {
      int answers = 0;
      for (int i = 0; i < kRounds; ++i) {
        std::size_t other = (own + 1 + static_cast<std::size_t>(i) % (kLoops - 1)) % kLoops;
        Core& core = cores[other];
        core.loop->call_soon_threadsafe([&core] { ++core.told; });
        auto answer = run_coroutine_threadsafe(clients_of(core), *core.loop);
        answers += co_await wrap_future(answer) == 0;
      }
      co_return answers;
    };
    std::vector<ConcurrentFuture<int>> talks;
    for (std::size_t i = 0; i < kLoops; ++i)
      talks.push_back(run_coroutine_threadsafe(talk(i), *cores[i].loop));
    for (auto& future : talks) {
      int answers = co_await wrap_future(future);
      EXPECT_EQ(answers, kRounds);
    }
    int told = 0;
    for (Core& core : cores) {
      auto count = [&core]() -> Coro<int> { co_return core.told; };
      auto answer = run_coroutine_threadsafe(count(), *core.loop);
      told += co_await wrap_future(answer);
    }
    EXPECT_EQ(told, static_cast<int>(kLoops) * kRounds);
  });
}

TEST_P(OneLoopPerCore, issue3_cancelling_what_another_loop_does) {
  beside([](std::vector<Core>& cores, std::uint16_t) -> Coro<> {
    std::atomic<int> cleaned{0};
    for (Core& core : cores) {
      auto wait = [&]() -> Coro<> {
        co_await try_([]() -> Coro<> { co_await asyncio::sleep(1h); }).finally_([&] { ++cleaned; });
      };
      auto answer = run_coroutine_threadsafe(wait(), *core.loop);
      auto outcome = co_await capture(wait_for(wrap_future(answer), 10ms));
      EXPECT_TRUE(outcome.holds<TimeoutError>());
    }
    std::vector<int> after = co_await all_clients(cores);  // behind the cancellations
    EXPECT_EQ(after.size(), kLoops);
    while (cleaned < static_cast<int>(kLoops)) co_await asyncio::sleep(1ms);
  });
}

TEST_P(OneLoopPerCore, fault74_without_reuse_port_the_port_is_taken) {
  beside([](std::vector<Core>&, std::uint16_t port) -> Coro<> {
    auto refused =
        co_await capture(start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", port));
    EXPECT_EQ(
        describe_exception(refused.exception()),
        "asyncio::OSError: bind 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  });
}

}  // namespace
