// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine opens files that are not what it wrote: some of their bytes are others, are
// gone, new or there twice; or a frame is whole, and what is in it is wrong. ASYNCIO_SEEDS says how
// many, SEED=n replays one.
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "seeds.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/frames.hpp"
#include "vectordb/engine/operation.hpp"
#include "vectordb_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace vectordb;
using nlohmann::json;
using test::Folder;
using test::one_point;
using test::Random;

namespace {

constexpr std::uint64_t kSeeds = test::kSanitized ? 100 : 400;

/// More than opening them takes, by far; less than what a length that is wrong may ask for.
constexpr std::ptrdiff_t kMostMemory = 32 << 20;

/// The files of a collection, and what there was in it from the snapshot on after each commit.
class Files {
 public:
  std::string log, snapshot;
  std::vector<std::string> states;
};

std::string log_in(const Folder& folder) { return folder.file("collections/c/log"); }
std::string snapshot_in(const Folder& folder) { return folder.file("collections/c/snapshot"); }

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
void put(const Folder& folder, const Files& files) {
  write_file(log_in(folder), files.log);
  write_file(snapshot_in(folder), files.snapshot);
}

std::vector<Coro<>> some_writes(Collection collection) {
  const Selection first = std::vector<PointId>(1, PointId(1));
  const json list = json::array({1, "two", json::object({{"three", 3.5}})});
  std::vector<Coro<>> writes;
  writes.push_back(collection.upsert(one_point(7, 7, 8, R"({"b": [true, null, -1]})")));
  writes.push_back(collection.set_payload(first, json::object({{"list", list}})));
  writes.push_back(collection.update_vectors(one_point(1, 5, 6)));
  writes.push_back(collection.overwrite_payload(Filter(), json::object({{"c", "text"}})));
  writes.push_back(collection.delete_payload(first, std::vector<std::string>(1, "c")));
  const json condition = json::parse(R"({"must": [{"key": "c", "match": {"value": "text"}}]})");
  writes.push_back(collection.erase(Filter::from_json(condition)));
  writes.push_back(collection.clear_payload(first));
  writes.push_back(collection.upsert(one_point(9, 0, 1, R"({"last": {}})")));
  return writes;
}

Coro<Files> written(const Folder& folder) {
  Database database = co_await test::open(folder);
  Collection collection = co_await database.create("c", CollectionConfig(2, Distance::Euclid));
  for (std::uint64_t id = 1; id < 6; ++id)
    co_await collection.upsert(one_point(id, 1, 2, R"({"a": "some text", "n": {"m": [1, 2]}})"));
  co_await collection.compact();
  Files files;
  files.states.push_back(co_await test::contents(collection));
  std::vector<Coro<>> writes = some_writes(collection);
  for (auto& write : writes) {
    co_await std::move(write);
    files.states.push_back(co_await test::contents(collection));
  }
  co_await database.close();
  files.log = read_file(log_in(folder));
  files.snapshot = read_file(snapshot_in(folder));
  co_return files;
}

std::size_t below(Random& random, std::size_t end) { return random.next() % end; }

std::string noise(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

std::string damaged(std::string bytes, Random& random) {
  for (int left = 1 + random.below(3); left > 0 && !bytes.empty(); --left) {
    const std::size_t at = below(random, bytes.size());
    const std::size_t most = random.one_in(4) ? bytes.size() - at : 16;
    const std::size_t count = 1 + below(random, most);
    const int what = random.below(5);
    if (what == 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    if (what == 1) bytes.resize(at);
    if (what == 2) bytes.insert(at, noise(random, count));
    if (what == 3) bytes.insert(below(random, bytes.size() + 1), bytes.substr(at, count));
    if (what == 4) bytes.erase(at, count);
  }
  return bytes;
}

/// With one frame whose checksum is that of a body, or of a number, that is wrong.
std::string damaged_inside(const std::string& bytes, Random& random) {
  std::vector<std::pair<std::uint64_t, std::string>> frames;
  for (std::size_t at = 0; at < bytes.size();) {
    FrameHead head;
    std::memcpy(&head, &bytes[at], sizeof head);
    frames.emplace_back(head.sequence, bytes.substr(at + sizeof head, head.length));
    at += sizeof head + head.length;
  }
  auto& [sequence, body] = frames[below(random, frames.size())];
  if (random.one_in(8))
    sequence = random.one_in(2) ? random.next() : sequence + 1;
  else
    body = damaged(body, random);
  std::string changed;
  for (const auto& [number, content] : frames) changed += encode_frame(number, content);
  return changed;
}

/// What is in it now, or "corrupt".
Coro<std::string> opened(const Folder& folder) {
  auto outcome = co_await capture(test::open(folder));
  if (outcome.holds<CorruptionError>()) co_return "corrupt";
  Database database = std::move(outcome).value();
  std::string all = co_await test::contents(database.get("c"));
  co_await database.close();
  co_return all;
}

/// Opens it, if it is not refused for what it is; then it can be used and written anew.
Coro<> used(const Folder& folder) {
  auto outcome = co_await capture(test::open(folder));
  if (outcome.holds<CorruptionError>()) co_return;
  Database database = std::move(outcome).value();
  Collection collection = database.get("c");
  ScrollRequest request;
  request.with_vector = true;
  ScrollPage page = co_await collection.scroll(request);
  const std::uint64_t count = co_await collection.count();
  co_await collection.compact();
  co_await database.close();
  database = co_await test::open(folder);
  Collection again = database.get("c");
  const std::uint64_t found = co_await again.count();
  EXPECT_EQ(found, count);
  co_await database.close();
}

/// What the library says of ends that it has cut off.
class Quiet {
 public:
  Quiet() : old_(set_log_handler([](const LogRecord&) {})) {}
  ~Quiet() { set_log_handler(old_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  LogHandler old_;
};

class VectordbDamage : public ::testing::Test {
 protected:
  VectordbDamage() { files_ = run(written(folder_)); }

  /// A copy with one of the files in another way.
  template <class Change>
  Files with_one(Random& random, Change change) const {
    Files files = files_;
    std::string& one = random.one_in(3) ? files.snapshot : files.log;
    one = change(one, random);
    return files;
  }

  Quiet quiet_;
  Folder folder_;
  Files files_;
};

TEST_F(VectordbDamage, random_bytes_leave_a_prefix_of_the_commits_or_are_refused) {
  int corrupt = 0, all = 0;
  test::for_each_seed(
      [&](std::uint64_t seed) {
        Random random(seed);
        put(folder_, with_one(random, damaged));
        test::AllocationCount memory;
        const std::string found = run(opened(folder_));
        EXPECT_LT(memory.peak_bytes(), kMostMemory);
        const auto& states = files_.states;
        const bool is_prefix = std::find(states.begin(), states.end(), found) != states.end();
        EXPECT_TRUE(found == "corrupt" || is_prefix) << found;
        corrupt += found == "corrupt";
        ++all;
      },
      kSeeds);
  EXPECT_TRUE(all < 20 || (corrupt > all / 10 && corrupt < all)) << corrupt << " of " << all;
}

TEST_F(VectordbDamage, random_bodies_in_whole_frames_are_used_or_refused) {
  test::for_each_seed(
      [&](std::uint64_t seed) {
        Random random(seed);
        put(folder_, with_one(random, damaged_inside));
        test::AllocationCount memory;
        run(used(folder_));
        EXPECT_LT(memory.peak_bytes(), kMostMemory);
      },
      kSeeds);
}

std::string body_of(const Operation& operation) {
  std::string body;
  encode(operation, body);
  return body;
}

/// The body of a point whose payload is nested so deep that a parser which recurses has no stack
/// left.
std::string deep_body(const Operation& of_one_point) {
  const std::string payload = "\xA1\x61x" + std::string(1'000'000, '\x81') + '\0';
  const auto size = static_cast<std::uint32_t>(payload.size());
  std::string body = body_of(of_one_point);
  body.resize(body.size() - sizeof size);  // of the payload without members
  body.append(reinterpret_cast<const char*>(&size), sizeof size);
  return body + payload;
}

TEST_F(VectordbDamage, a_commit_that_cannot_be_one_is_refused) {
  Operation right;
  right.points.emplace_back(3, Vector(2, 1.5F), json::object());
  std::vector<Operation> wrong(5, right);
  wrong[0].points[0].vector.push_back(1);
  wrong[1].points[0].vector.pop_back();
  wrong[2].points[0].vector[0] = std::numeric_limits<float>::quiet_NaN();
  wrong[3].points[0].payload = json::array({1});
  wrong[4].kind = Operation::Kind::set_payload;
  wrong[4].selection = std::vector<PointId>(1, PointId(1));
  wrong[4].values = "no object";
  std::vector<std::string> bodies;
  for (const Operation& operation : wrong) bodies.push_back(body_of(operation));
  bodies.push_back(deep_body(right));
  const std::uint64_t next = 5 + files_.states.size();
  const std::string log = files_.log;
  files_.log = log + encode_frame(next, body_of(right));
  put(folder_, files_);
  EXPECT_NE(run(opened(folder_)), "corrupt");
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    files_.log = log + encode_frame(next, bodies[i]);
    put(folder_, files_);
    EXPECT_EQ(run(opened(folder_)), "corrupt") << i;
  }
}

TEST_F(VectordbDamage, a_header_that_cannot_be_one_is_refused) {
  const std::string log = files_.log;
  FrameHead head;
  std::memcpy(&head, log.data(), sizeof head);
  const std::string rest = log.substr(sizeof head + head.length);
  for (const char* header :
       {"[]", "{}", "{", R"({"kind": 5, "format": 1})", R"({"kind": "log", "format": "1"})",
        R"({"kind": "log"})", R"({"kind": "log", "format": 1, "config": 3})"}) {
    files_.log = encode_frame(head.sequence, header) + rest;
    put(folder_, files_);
    EXPECT_EQ(run(opened(folder_)), "corrupt") << header;
  }
}

}  // namespace
