// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine on disk: what is there after each way in which a log may end, and what a
// full disk does.
#include "asyncio/asyncio.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/frames.hpp"
#include "vectordb/engine/point_table.hpp"
#include "vectordb_folder.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <sys/resource.h>

using namespace asyncio;
using namespace vectordb;
using nlohmann::json;
using test::contents;
using test::Folder;
using test::message_of;
using test::one_point;
using test::open;

namespace {

namespace fs = std::filesystem;

const char* const kUuid = "550e8400-e29b-41d4-a716-446655440000";

const char* const kLong =
    R"({"long": "more than there is room for in a file of that size, really"})";

CollectionConfig two_dimensions() { return CollectionConfig(2, Distance::Euclid); }

Selection only(PointId id) { return std::vector<PointId>{id}; }

/// A write of each kind.
std::vector<Coro<>> some_writes(Collection collection) {
  std::vector<Coro<>> writes;
  writes.push_back(collection.upsert(one_point(1, 1, 2, R"({"a": 1})")));
  writes.push_back(collection.upsert(one_point(PointId::from_text(kUuid), 3, 4)));
  writes.push_back(collection.set_payload(only(1), {{"b", {1, 2}}}));
  writes.push_back(collection.update_vectors(one_point(1, 5, 6)));
  writes.push_back(collection.overwrite_payload(Filter(), {{"c", "text"}, {"d", 1.5}}));
  writes.push_back(collection.delete_payload(only(1), {"c"}));
  writes.push_back(collection.erase(
      Filter::from_json({{"must", {{{"key", "c"}, {"match", {{"value", "text"}}}}}}})));
  writes.push_back(collection.upsert(one_point(3, 7, 8)));
  writes.push_back(collection.clear_payload(only(1)));
  return writes;
}

struct State {
  std::uint64_t log_bytes;
  std::string contents;
};

/// The collection "c", of writes that were committed one by one, and what there was after each.
Coro<std::vector<State>> written(const Folder& folder) {
  Database database = co_await open(folder);
  Collection collection = co_await database.create("c", two_dimensions());
  std::vector<State> states;
  std::vector<Coro<>> writes = some_writes(collection);
  for (std::size_t i = 0; i <= writes.size(); ++i) {
    State state;
    state.log_bytes = (co_await collection.info()).log_bytes;
    state.contents = co_await contents(collection);
    states.push_back(std::move(state));
    if (i < writes.size()) co_await std::move(writes[i]);
  }
  co_await database.close();
  co_return states;
}

/// What is in the collection "c" now, or what its opening throws.
Coro<std::string> reopened(const Folder& folder) {
  auto opened = co_await capture(open(folder));
  if (opened.holds<CorruptionError>()) co_return "corrupt";
  Database database = std::move(opened).value();
  std::string all = co_await contents(database.get("c"));
  co_await database.close();
  co_return all;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What the library says meanwhile.
class Messages {
 public:
  Messages() {
    old_ = set_log_handler([this](const LogRecord& record) { all.push_back(record.message); });
  }
  ~Messages() { set_log_handler(old_); }

  std::vector<std::string> all;

 private:
  LogHandler old_;
};

TEST(VectordbStore, everything_is_there_after_a_restart) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    EXPECT_EQ(states.back().contents, "1 [5.0,6.0] {}\n3 [7.0,8.0] {}\n");
    EXPECT_EQ(co_await reopened(folder), states.back().contents);
  });
}

TEST(VectordbStore, a_log_cut_at_any_byte_has_all_whole_commits) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    const std::string log = read_file(folder.file("collections/c/log"));
    EXPECT_EQ(log.size(), states.back().log_bytes);
    Messages messages;
    std::size_t whole = 0, cuts = 0;
    for (std::size_t size = states[0].log_bytes; size < log.size(); ++size) {
      while (whole + 1 < states.size() && states[whole + 1].log_bytes <= size) ++whole;
      write_file(folder.file("collections/c/log"), log.substr(0, size));
      std::string found = co_await reopened(folder);
      EXPECT_EQ(found, states[whole].contents) << size;
      EXPECT_EQ(fs::file_size(folder.file("collections/c/log")), states[whole].log_bytes) << size;
      cuts += size != states[whole].log_bytes;
    }
    EXPECT_EQ(messages.all.size(), cuts);
    EXPECT_NE(messages.all[0].find("of a commit that did not end; cut off"), std::string::npos);
  });
}

TEST(VectordbStore, a_log_without_its_whole_header_is_refused) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    const std::string log = read_file(folder.file("collections/c/log"));
    for (std::size_t size = 0; size < states[0].log_bytes; ++size) {
      write_file(folder.file("collections/c/log"), log.substr(0, size));
      std::string found = co_await reopened(folder);
      EXPECT_EQ(found, "corrupt") << size;
      EXPECT_EQ(fs::file_size(folder.file("collections/c/log")), size);
    }
  });
}

TEST(VectordbStore, a_flipped_bit_is_cut_off_at_the_end_and_refused_before) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    const std::string log = read_file(folder.file("collections/c/log"));
    Messages messages;
    const State& before_last = states[states.size() - 2];
    for (std::size_t at = 0; at < log.size(); ++at) {
      std::string damaged = log;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
      write_file(folder.file("collections/c/log"), damaged);
      std::string found = co_await reopened(folder);
      EXPECT_EQ(found, at < before_last.log_bytes ? "corrupt" : before_last.contents) << at;
    }
  });
}

TEST(VectordbStore, writes_go_on_behind_a_cut) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    fs::resize_file(folder.file("collections/c/log"), states[2].log_bytes - 1);
    Messages messages;
    Database database = co_await open(folder);
    co_await database.get("c").upsert(one_point(9, 9, 9));
    co_await database.close();
    EXPECT_EQ(co_await reopened(folder), states[1].contents + "9 [9.0,9.0] {}\n");
  });
}

TEST(VectordbStore, a_snapshot_takes_the_place_of_the_log) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    const std::string old_log = read_file(folder.file("collections/c/log"));
    Database database = co_await open(folder);
    Collection collection = database.get("c");
    co_await collection.compact();
    CollectionInfo info = co_await collection.info();
    EXPECT_EQ(info.log_bytes, states[0].log_bytes);
    EXPECT_GT(info.snapshot_bytes, 0u);
    EXPECT_EQ(info.sequence, states.size() - 1);
    co_await collection.upsert(one_point(9, 9, 9));
    co_await database.close();
    const std::string all = states.back().contents + "9 [9.0,9.0] {}\n";
    EXPECT_EQ(co_await reopened(folder), all);
    // As after a crash between the two renames: the old log, which the snapshot has.
    write_file(folder.file("collections/c/log"), old_log);
    EXPECT_EQ(co_await reopened(folder), states.back().contents);
  });
}

/// The snapshot has what the end of the log lacks. Of the next commits none may be missing.
TEST(VectordbStore, a_log_that_ends_before_the_snapshot_is_begun_anew) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    const std::string old_log = read_file(folder.file("collections/c/log"));
    Database database = co_await open(folder);
    co_await database.get("c").compact();
    co_await database.close();
    write_file(folder.file("collections/c/log"), old_log.substr(0, states[3].log_bytes + 1));
    Messages messages;
    database = co_await open(folder);
    co_await database.get("c").upsert(one_point(9, 9, 9));
    co_await database.close();
    EXPECT_EQ(co_await reopened(folder), states.back().contents + "9 [9.0,9.0] {}\n");
  });
}

/// Else 256 payloads of the permitted 16 MiB would not go into a frame's 32 bits of length.
TEST(VectordbStore, a_snapshot_of_large_payloads_has_a_frame_for_each_megabyte) {
  run([]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder);
    Collection collection = co_await database.create("c", two_dimensions());
    std::vector<Point> points;
    for (std::uint64_t id = 0; id < 10; ++id)
      points.emplace_back(id, Vector{1, 2}, json{{"x", std::string(400'000, 'x')}});
    co_await collection.upsert(std::move(points));
    co_await collection.compact();
    std::string all = co_await contents(collection);
    co_await database.close();
    EXPECT_EQ(co_await reopened(folder), all);
    vectordb::File file(folder.file("collections/c/snapshot"), O_RDONLY);
    FrameReader reader(file);
    std::size_t frames = 0;
    for (; auto frame = reader.next(); ++frames) EXPECT_LT(frame->body.size(), 1'500'000u);
    EXPECT_EQ(frames, 1 + 4u);  // the header; three points in each, and the last
  });
}

TEST(VectordbStore, what_a_frame_cannot_tell_the_length_of_is_refused) {
  const std::string_view too_long("", std::size_t{1} << 32);  // nothing of it is read
  EXPECT_THROW(encode_frame(1, too_long), Error);
}

TEST(VectordbStore, a_damaged_snapshot_is_refused) {
  run([]() -> Coro<> {
    Folder folder;
    co_await written(folder);
    Database database = co_await open(folder);
    co_await database.get("c").compact();
    co_await database.close();
    const std::string snapshot = read_file(folder.file("collections/c/snapshot"));
    for (std::size_t at = 0; at < snapshot.size(); ++at) {
      std::string damaged = snapshot;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
      write_file(folder.file("collections/c/snapshot"), damaged);
      EXPECT_EQ(co_await reopened(folder), "corrupt") << at;
      write_file(folder.file("collections/c/snapshot"), snapshot.substr(0, at));
      EXPECT_EQ(co_await reopened(folder), "corrupt") << at;
    }
    fs::remove(folder.file("collections/c/snapshot"));  // the log begins behind it
    EXPECT_EQ(co_await reopened(folder), "corrupt");
  });
}

TEST(VectordbStore, compacts_by_itself_when_the_log_has_grown) {
  run([]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder, 4000);
    Collection collection = co_await database.create("c", two_dimensions());
    for (int i = 0; i < 200; ++i) {
      auto number = static_cast<float>(i);
      co_await collection.upsert(one_point(static_cast<std::uint64_t>(i % 5), number, number));
    }
    co_await collection.count();
    EXPECT_GE(database.metrics().snapshots, 2u);
    EXPECT_LT((co_await collection.info()).log_bytes, 5000u);
    std::string all = co_await contents(collection);
    co_await database.close();
    EXPECT_EQ(co_await reopened(folder), all);
  });
}

TEST(VectordbStore, waiting_writers_share_a_commit) {
  run([]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder);
    Collection collection = co_await database.create("c", two_dimensions());
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      for (std::uint64_t id = 0; id < 200; ++id)
        group.create_task(collection.upsert(one_point(id, 1, 2)));
      co_return;
    });
    EXPECT_EQ(database.metrics().writes, 200u);
    EXPECT_LT(database.metrics().commits, 100u);
    EXPECT_EQ(co_await collection.count(), 200u);
    co_await database.close();
  });
}

/// As if the disk were full at that size of a file.
class SmallDisk {
 public:
  explicit SmallDisk(std::uint64_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(VectordbStore, a_full_disk_fails_the_write_and_loses_nothing) {
  run([]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder);
    Collection collection = co_await database.create("c", two_dimensions());
    co_await collection.upsert(one_point(1, 1, 1));
    CollectionInfo info = co_await collection.info();
    {
      SmallDisk disk(info.log_bytes + 50);
      auto outcome = co_await capture(collection.upsert(one_point(2, 2, 2, kLong)));
      EXPECT_TRUE(outcome.holds<StorageError>());
      EXPECT_NE(message_of(outcome).find("/collections/c/log: File too large"), std::string::npos);
      EXPECT_EQ(co_await collection.count(), 1u);
    }
    {
      SmallDisk disk(50);
      auto outcome = co_await capture(collection.compact());
      EXPECT_TRUE(outcome.holds<StorageError>());
      EXPECT_FALSE(
          fs::exists(folder.file("collections/c/snapshot.new")));  // it would fill the disk
    }
    co_await collection.upsert(one_point(3, 3, 3));  // there is room again
    co_await database.close();
    EXPECT_EQ(co_await reopened(folder), "1 [1.0,1.0] {}\n3 [3.0,3.0] {}\n");
  });
}

TEST(VectordbStore, one_process_has_the_folder) {
  run([]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder);
    auto second = co_await capture(open(folder));
    EXPECT_TRUE(second.holds<StorageError>());
    co_await database.close();
  });
}

TEST(VectordbStore, what_was_being_made_or_deleted_is_gone_after_a_crash) {
  run([]() -> Coro<> {
    Folder folder;
    co_await written(folder);
    const fs::path collections = fs::path(folder.path()) / "collections";
    fs::copy(collections / "c", collections / ".making-d");
    fs::copy(collections / "c", collections / ".deleting-e");
    write_file(collections / "c" / "snapshot.new", "part of a snapshot");
    write_file(collections / "c" / "log.new", "part of a log");
    Database database = co_await open(folder);
    EXPECT_EQ(database.list().size(), 1u);
    EXPECT_FALSE(fs::exists(folder.file("collections/c/snapshot.new")));
    EXPECT_FALSE(fs::exists(folder.file("collections/c/log.new")));
    EXPECT_FALSE(fs::exists(collections / ".making-d"));
    EXPECT_FALSE(fs::exists(collections / ".deleting-e"));
    co_await database.close();
  });
}

TEST(VectordbStore, a_deletion_that_fails_leaves_the_collection_open) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    Database database = co_await open(folder);
    const fs::path collections = fs::path(folder.path()) / "collections";
    fs::rename(collections / "c", collections / ".elsewhere");
    auto outcome = co_await capture(database.erase("c"));
    EXPECT_TRUE(outcome.holds<StorageError>());
    fs::rename(collections / ".elsewhere", collections / "c");
    co_await database.get("c").upsert(one_point(9, 9, 9));
    EXPECT_EQ(co_await contents(database.get("c")), states.back().contents + "9 [9.0,9.0] {}\n");
    co_await database.erase("c");
    EXPECT_FALSE(fs::exists(collections / "c"));
    co_await database.close();
  });
}

TEST(VectordbStore, a_folder_is_made_with_those_above_it) {
  run([]() -> Coro<> {
    Folder folder;
    for (const char* path : {"/a/b/", "/a/b/../c"}) {
      Database database = co_await Database::open(folder.path() + path);
      co_await database.create("c", two_dimensions());
      co_await database.close();
    }
    EXPECT_TRUE(fs::exists(folder.path() + "/a/c/collections/c/log"));
  });
}

TEST(VectordbStore, tells_how_far_opening_has_come) {
  run([]() -> Coro<> {
    Folder folder;
    co_await written(folder);
    std::vector<Progress> reports;
    DatabaseOptions options;
    options.progress([&](const Progress& progress) { reports.push_back(progress); });
    Database database = co_await Database::open(folder.path(), options);
    co_await sleep(std::chrono::seconds(0));
    EXPECT_GE(reports.size(), 3u);
    EXPECT_EQ(reports.at(0).collection, "");  // the folder is its own
    EXPECT_EQ(reports.at(1).collection, "c");
    EXPECT_EQ(reports.at(1).step, Progress::Step::reading);
    EXPECT_EQ(reports.back().step, Progress::Step::indexing);
    EXPECT_EQ(reports.back().done, reports.back().total);
    co_await database.close();
  });
}

Coro<> open_and_close(std::string folder, DatabaseOptions options) {
  Database database = co_await Database::open(std::move(folder), std::move(options));
  co_await database.close();
}

/// Cancels the opening at its `reports`-th report (0: before any) and frees the folder; false when
/// the opening makes fewer.
Coro<bool> cancelled_at(const Folder& folder, int reports) {
  int seen = 0;
  std::optional<Task<>> opening;
  DatabaseOptions options;
  options.threads(1).progress([&](const Progress&) {
    ++seen;
    if (seen == reports) opening->cancel();
  });
  opening = create_task(open_and_close(folder.path(), options));
  co_await sleep(std::chrono::seconds(0));
  if (reports == 0) opening->cancel();
  auto outcome = co_await capture(*opening);
  const int told = seen;
  if (told < reports) co_return false;
  EXPECT_TRUE(outcome.cancelled());
  // Its thread has the folder until it finds out.
  for (bool is_free = false; !is_free;) {
    auto again = co_await capture(open(folder));
    is_free = !again.holds<StorageError>();
    if (is_free) co_await again.value().close();
  }
  EXPECT_EQ(seen, told);
  co_return true;
}

/// What refers to the caller's frame may be gone by then; and a program that ends waits for its
/// threads.
TEST(VectordbStore, a_cancelled_opening_reports_no_more_and_gives_the_folder_back) {
  run([]() -> Coro<> {
    Folder folder;
    std::vector<State> states = co_await written(folder);
    Messages messages;
    int reports = 0;
    while (co_await cancelled_at(folder, reports)) ++reports;
    EXPECT_GT(reports, 2) << "reading and indexing, beside no report at all";
    EXPECT_EQ(co_await reopened(folder), states.back().contents);
    EXPECT_TRUE(messages.all.empty()) << messages.all.front();
  });
}

TEST(VectordbStore, indexing_ends_when_its_progress_throws) {
  CollectionConfig config = two_dimensions();
  config.hnsw.ef_construct = 4000;  // a minute for all
  PointTable table(config);
  Operation upsert;
  constexpr std::uint64_t kPoints = 20'000;
  for (std::uint64_t id = 0; id < kPoints; ++id)
    upsert.points.emplace_back(id, Vector{static_cast<float>(id % 100), 1}, json::object());
  table.apply(upsert);
  auto cancelled = [](std::uint64_t, std::uint64_t) { throw Error("cancelled"); };
  EXPECT_THROW(table.build_index(2, cancelled), Error);
  EXPECT_LT(table.index().search(Vector{0, 0}, kPoints, nullptr).size(), kPoints / 2);
}

}  // namespace
