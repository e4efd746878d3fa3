// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine where memory runs out: nobody waits for ever, and readers find whole points.
#include "allocation_count.hpp"
#include "folder.hpp"
#include "vectordb/engine/database_engine.hpp"
#include "vectordb/engine/point_table.hpp"
#include "vectordb/engine/write_queue.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <memory>
#include <new>
#include <string>
#include <vector>

extern "C" {
void __lsan_disable() __attribute__((weak));
void __lsan_enable() __attribute__((weak));
}

using namespace vectordb;
using asyncio::ConcurrentFuture;
using nlohmann::json;

namespace {

/// Calls when it is told to, in the thread of the test.
class ByHand final : public asyncio::Executor {
 public:
  void shutdown(bool, bool) override {}
  void submit_job(asyncio::Job job) override { jobs_.push_back(std::move(job)); }
  bool is_idle() const noexcept { return jobs_.empty(); }
  void call_one() {
    asyncio::Job job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
  }
  void call_all() {
    while (!is_idle()) call_one();
  }

 private:
  std::deque<asyncio::Job> jobs_;
};

class Queue final : public WriteQueue {
 public:
  explicit Queue(asyncio::Executor& executor) : WriteQueue(executor) {}
  std::size_t commits = 0, committed = 0;
  std::function<void()> at_commit = [] {};

 private:
  bool prepare_write(Operation&, std::size_t) override { return true; }
  void commit(std::string_view, std::span<const Operation> operations,
              std::span<std::exception_ptr>) override {
    at_commit();
    ++commits;
    committed += operations.size();
  }
  void tidy() override {}
};

Operation one_point(std::uint64_t id) {
  Operation operation;
  operation.points.emplace_back(id, Vector{1, static_cast<float>(id % 10)}, json{{"id", id}});
  return operation;
}

/// Without a payload: to destroy an object takes memory, in nlohmann's way.
Operation erasure(std::uint64_t id) {
  Operation operation;
  operation.kind = Operation::Kind::erase;
  operation.selection = std::vector<PointId>(1, PointId(id));
  return operation;
}

TEST(VectordbMemory, each_write_ends_and_the_queue_goes_on) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  bool happened = true;
  for (std::uint64_t which = 1; happened; ++which) {
    ByHand executor;
    auto queue = std::make_shared<Queue>(executor);
    std::vector<ConcurrentFuture<>> writes;
    for (std::uint64_t id = 0; id < 5; ++id) writes.push_back(queue->push(erasure(id)));
    {
      test::AllocationFailure failure(which);
      executor.call_all();
      happened = failure.happened();
    }
    std::size_t failed = 0;
    for (const ConcurrentFuture<>& write : writes) {
      ASSERT_TRUE(write.done()) << which;
      failed += write.exception() != nullptr;
    }
    EXPECT_EQ(failed + queue->committed, writes.size()) << which;
    ConcurrentFuture<> later = queue->push(erasure(9));
    executor.call_all();
    ASSERT_TRUE(later.done()) << which;
    EXPECT_EQ(later.exception(), nullptr) << which;
  }
}

/// There are four threads for any number of collections.
TEST(VectordbMemory, after_each_commit_the_thread_is_free_for_others) {
  ByHand executor;
  auto busy = std::make_shared<Queue>(executor), other = std::make_shared<Queue>(executor);
  busy->at_commit = [&] {
    if (busy->commits < 3) busy->push(one_point(busy->commits));
  };
  busy->push(one_point(1));
  ConcurrentFuture<> write = other->push(one_point(2));
  executor.call_one();
  executor.call_one();
  EXPECT_TRUE(write.done());
  EXPECT_EQ(busy->commits, 1u);
  executor.call_all();
  EXPECT_EQ(busy->commits, 4u);
}

/// Returns: whether an allocation failed, that one of this thread.
bool erased_without_memory(DatabaseEngine& database, std::uint64_t which) {
  test::AllocationFailure failure(which);
  try {
    database.erase("c");
  } catch (const std::exception&) {  // bad_alloc, or what std::filesystem makes of it
  }
  return failure.happened();
}

TEST(VectordbMemory, a_name_ends_with_its_folder) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  DatabaseOptions options;
  options.threads(1);
  bool happened = true;
  for (std::uint64_t which = 1; happened; ++which) {
    test::Folder folder;
    DatabaseEngine database(folder.path(), options);
    database.create("c", CollectionConfig(2));
    happened = erased_without_memory(database, which);
    const bool is_there = std::filesystem::exists(folder.path() + "/collections/c");
    EXPECT_EQ(database.contains("c"), is_there) << which;
    if (is_there) database.erase("c");
    database.create("c", CollectionConfig(2));
    EXPECT_TRUE(database.contains("c")) << which;
  }
}

/// What readers do with each point: its id, payload and vector belong together.
void expect_whole(const PointTable& table, const std::string& when) {
  const Vector query{1, 0};
  for (const auto& [id, slot] : table.ids()) {
    EXPECT_TRUE(table.entries().at(slot).live) << when;
    EXPECT_EQ(table.entries()[slot].id, id) << when;
    EXPECT_EQ(table.entries()[slot].payload.at("id"), id.number()) << when;
    EXPECT_EQ(table.index().vector(slot)[1], static_cast<float>(id.number() % 10)) << when;
  }
  for (const Neighbour& neighbour : table.index().search(query, 1000, nullptr))
    EXPECT_TRUE(table.entries().at(neighbour.slot).live) << when;
}

/// hnswlib loses its list of visited elements when it throws.
class Leaking {
 public:
  Leaking() {
    ::testing::Test::RecordProperty("leaves", "what hnswlib throws over");
    if (__lsan_disable) __lsan_disable();
  }
  Leaking(const Leaking&) = delete;
  Leaking& operator=(const Leaking&) = delete;
  ~Leaking() {
    if (__lsan_enable) __lsan_enable();
  }
};

/// Whether it throws as that allocation fails.
bool fails_without_memory(PointTable& table, const Operation& upsert, std::uint64_t which) {
  bool failed = false;
  test::AllocationFailure failure(which);
  try {
    table.apply(upsert);
  } catch (const std::exception&) {  // of hnswlib also others than bad_alloc
    failed = true;
  }
  return failed;
}

/// Into an empty index, a place that is free again, and one that makes the index grow.
TEST(VectordbMemory, an_insertion_that_fails_leaves_no_part_of_a_point) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  Leaking leaking;
  CollectionConfig config(2, Distance::Euclid);
  config.hnsw.m = 2;
  config.hnsw.ef_construct = 4;
  for (std::uint64_t before : {0, 1, 20, 256}) {
    const std::uint64_t last = before == 256 ? 16 : 1000;  // the index grows first
    for (bool erased : {false, true}) {
      bool failed = true;
      for (std::uint64_t which = 1; failed && which <= last; ++which) {
        PointTable table(config);
        table.build_index(1, [](std::uint64_t, std::uint64_t) {});
        for (std::uint64_t id = 0; id < before; ++id) table.apply(one_point(id));
        if (erased) table.apply(erasure(before / 2));
        const std::size_t points = table.ids().size();
        const std::string when =
            std::to_string(before) + " points, allocation " + std::to_string(which);
        failed = fails_without_memory(table, one_point(1000), which);
        EXPECT_EQ(table.ids().size(), points + !failed) << when;
        expect_whole(table, when);
      }
    }
  }
}

}  // namespace
