// SPDX-License-Identifier: BSL-1.0
// `vectordb serve` that ends while clients write, in order or by kill -9: each point whose request
// was answered is there afterwards. ./dev torture kills it 200 times.
#include "../support/seeds.hpp"
#include "vectordb/client/client.hpp"
#include "vectordb/server/service.hpp"
#include "vectordb_folder.hpp"
#include "vectordb_process.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::Program;
using vectordb::AsyncVectorDB;
using vectordb::ClientOptions;
using vectordb::Point;
using vectordb::PointId;
using vectordb::Vector;

namespace {

constexpr int kWriters = 8;

/// Clients that put numbered points in, and know which of them are to be there.
class Writers {
 public:
  /// Until there is no server any more; `enough` is set after so many answers.
  Coro<> work(AsyncVectorDB& db, std::size_t answers) {
    try {
      while (true) {
        std::uint64_t id = next_++;
        std::vector<Point> points;
        points.emplace_back(PointId(id), Vector(2, static_cast<float>(id)));
        co_await db.insert_vectors("points", std::move(points));
        acknowledged_.insert(id);
        if (acknowledged_.size() >= answers) enough.set();
      }
    } catch (const vectordb::ServiceError&) {
      ++ended;
    }
  }
  const std::set<std::uint64_t>& acknowledged() const noexcept { return acknowledged_; }
  std::uint64_t begun() const noexcept { return next_; }

  Event enough;
  int ended = 0;

 private:
  std::set<std::uint64_t> acknowledged_;
  std::uint64_t next_ = 0;
};

/// Nothing is tried again: what was not answered counts as lost. Asks until the data is read,
/// sooner than the second that the server asks for.
Coro<AsyncVectorDB> connected(const Program& program) {
  auto db = co_await AsyncVectorDB::connect(program.url(), ClientOptions().retries(0));
  while (true) {
    auto outcome = co_await capture(db.collections());
    if (outcome) co_return db;
    co_await sleep(2ms);
  }
}

/// Sends `signal` while all write. Returns: the exit status.
Coro<int> write_and_end(const test::Folder& folder, Writers& writers, std::size_t answers,
                        int signal) {
  Program program = co_await test::started(folder.path());
  AsyncVectorDB db = co_await connected(program);
  co_await db.create_collection("points", 2);
  auto all = [&](TaskGroup& group) -> Coro<> {
    for (int i = 0; i < kWriters; ++i) group.create_task(writers.work(db, answers));
    co_await writers.enough.wait();
    program.process().send_signal(signal);
  };
  co_await with(TaskGroup(), all);
  int status = co_await program.process().wait();
  co_await db.close();
  co_return status;
}

Coro<> expect_all(const test::Folder& folder, const Writers& writers) {
  Program program = co_await test::started(folder.path());
  AsyncVectorDB db = co_await connected(program);
  std::vector<PointId> ids;
  for (std::uint64_t id : writers.acknowledged()) ids.emplace_back(id);
  auto found = co_await db.get("points", std::move(ids));
  EXPECT_EQ(found.size(), writers.acknowledged().size());
  std::size_t count = co_await db.count("points");
  EXPECT_GE(count, writers.acknowledged().size());
  EXPECT_LE(count, writers.begun());
  co_await db.close();
  int status = co_await program.stop();
  EXPECT_EQ(status, 0);
}

TEST(VectorDBServe, sigterm_while_clients_write_loses_nothing_that_was_answered) {
  test::Folder folder;
  Writers writers;
  run([&]() -> Coro<> {
    int status = co_await write_and_end(folder, writers, 100, SIGTERM);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(writers.ended, kWriters);
    co_await expect_all(folder, writers);
  });
}

TEST(VectorDBServe, kill_9_at_random_moments_loses_nothing_that_was_answered) {
  test::for_each_seed(
      [](std::uint64_t seed) {
        test::Random random(seed);
        test::Folder folder;
        Writers writers;
        auto answers = static_cast<std::size_t>(1 + random.below(200));
        run([&]() -> Coro<> {
          int status = co_await write_and_end(folder, writers, answers, SIGKILL);
          EXPECT_EQ(status, -SIGKILL);
          co_await expect_all(folder, writers);
        });
      },
      test::kSanitized ? 1 : 3);
}

/// Returns: whether it was cancelled before it had ended.
Coro<bool> cancelled_after(const test::Folder& folder, int rounds) {
  vectordb::ServeOptions options;
  options.folder = folder.path();
  options.port = 0;
  options.threads = 1;
  auto serving = create_task(vectordb::serve(std::move(options)));
  for (int i = 0; i < rounds; ++i) co_await sleep(0ms);
  serving.cancel();
  auto outcome = co_await capture(serving);
  co_return outcome.cancelled();
}

/// A thread whose reading was cancelled leaves within moments, and has the folder until then.
Coro<vectordb::Database> open_when_free(const test::Folder& folder) {
  for (TimePoint begin = get_running_loop().time();; co_await sleep(1ms)) {
    auto opened = co_await capture(test::open(folder));
    bool waits = opened.holds<vectordb::StorageError>();
    if (!waits || get_running_loop().time() - begin > 30s) co_return std::move(opened).value();
  }
}

TEST(VectorDBServe, wherever_it_is_cancelled_it_gives_back_signals_and_folder) {
  test::Folder folder;
  run([&]() -> Coro<> {
    EventLoop loop = get_running_loop();
    for (int rounds = 0; rounds < 40; ++rounds) {
      bool cancelled = co_await cancelled_after(folder, rounds);
      EXPECT_TRUE(cancelled) << rounds;
      for (int signal : {SIGINT, SIGTERM}) EXPECT_FALSE(loop.remove_signal_handler(signal));
      vectordb::Database database = co_await open_when_free(folder);
      co_await database.close();
    }
  });
}

}  // namespace
