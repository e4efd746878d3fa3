// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine: a program that writes is killed at random moments; what it had said to be
// written is there, whole. ./dev torture kills it 200 times.
#include "../support/seeds.hpp"
#include "asyncio/asyncio.hpp"
#include "vectordb_folder.hpp"
#include "vectordb_groups.hpp"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

using namespace asyncio;
using namespace vectordb;
using test::Folder;
using test::kGroups;

namespace {

/// The last write of each group that is known to be there; of a deleted group, the deletion.
using Versions = std::array<std::uint64_t, kGroups>;

/// Runs the program, kills it after some lines, and puts what those say into `versions`.
Coro<> write_and_kill(const Folder& folder, std::uint64_t first, int lines,
                      std::chrono::microseconds later, Versions& versions) {
  SubprocessOptions options;
  options.stdout(PIPE);
  Process process = co_await create_subprocess_exec(options, VECTORDB_WRITER, folder.path(),
                                                    std::to_string(first));
  bool killed = false;
  for (int i = 0;; ++i) {
    if (i == lines) {
      co_await sleep(later);
      process.kill();
      killed = true;
    }
    std::string line = co_await process.stdout()->readline();
    if (line.empty() || line.back() != '\n') break;
    const std::size_t space = line.find(' ');
    versions.at(std::stoull(line)) = std::stoull(line.substr(space));
  }
  EXPECT_TRUE(killed) << "it ended by itself";
  co_await process.wait();
}

/// The version of a group that is there as a whole, or 0.
Coro<std::uint64_t> version_of(Collection collection, std::uint64_t group) {
  std::vector<Record> found = co_await collection.retrieve(test::ids_of(group), true, true);
  if (found.empty()) co_return 0;
  const auto version = found[0].payload->at("version").get<std::uint64_t>();
  std::vector<Point> expected = test::points_of(group, version);
  EXPECT_EQ(found.size(), expected.size()) << "group " << group << " is torn";
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].id, expected[i].id);
    EXPECT_EQ(*found[i].vector, expected[i].vector);
    EXPECT_EQ(*found[i].payload, expected[i].payload);
  }
  co_return version;
}

/// One write of each group was under way and may be there or not.
Coro<> check(const Folder& folder, std::uint64_t first, const Versions& before,
             const Versions& acknowledged, Versions& versions) {
  Database database = co_await test::open(folder);
  for (std::uint64_t group = 0; group < kGroups; ++group) {
    const std::uint64_t last = acknowledged[group];
    const std::uint64_t next = last == before[group] ? first : last + 1;
    const std::uint64_t found = co_await version_of(database.get("c"), group);
    const bool is_last = found == (test::is_erased(last) ? 0 : last);
    const bool is_next = found == (test::is_erased(next) ? 0 : next);
    EXPECT_TRUE(is_last || is_next) << "group " << group << ": version " << last
                                    << " was acknowledged, " << found << " is there";
    versions[group] = is_last ? last : next;
  }
  co_await database.close();
}

TEST(VectordbCrash, what_was_acknowledged_outlasts_kill_9_at_random_moments) {
  Folder folder;
  Versions versions{};
  std::uint64_t first = 1;
  std::uint64_t writes = 0;
  test::for_each_seed(
      [&](std::uint64_t seed) {
        test::Random random(seed);
        run([&]() -> Coro<> {
          const Versions before = versions;
          Versions acknowledged = versions;
          co_await write_and_kill(folder, first, 1 + random.below(150),
                                  std::chrono::microseconds(random.below(3000)), acknowledged);
          co_await check(folder, first, before, acknowledged, versions);
          const std::uint64_t start = first;
          for (std::uint64_t version : acknowledged) {
            if (version >= start) writes += version - start + 1;
            first = std::max(first, version + 2);
          }
        });
      },
      test::kSanitized ? 2 : 6);
  RecordProperty("acknowledged_writes", std::to_string(writes));
  std::printf("%llu acknowledged writes\n", static_cast<unsigned long long>(writes));
}

}  // namespace
