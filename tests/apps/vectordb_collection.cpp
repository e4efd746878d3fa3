// SPDX-License-Identifier: BSL-1.0
// apps/vectordb/engine: searches and the other reads, beside writes; refusals; recall.
#include "asyncio/asyncio.hpp"
#include "rounds.hpp"
#include "vectordb/engine/vector_index.hpp"
#include "vectordb_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

using namespace asyncio;
using namespace vectordb;
using nlohmann::json;
using test::Clustered;
using test::Folder;
using test::message_of;
using test::one_point;
using test::open;

namespace {

/// A data base that is closed at the end of `body(database)`.
template <class Body>
void with_database(Body body) {
  run([&]() -> Coro<> {
    Folder folder;
    Database database = co_await open(folder);
    co_await body(database);
    co_await database.close();
  });
}

/// Through the graph as soon as there is a point.
CollectionConfig graph_only(std::size_t size, Distance distance) {
  CollectionConfig config(size, distance);
  config.hnsw.full_scan_threshold = 0;
  return config;
}

/// The corners of a square, and its centre.
std::vector<Point> square() {
  std::vector<Point> points;
  points.emplace_back(1, Vector{1, 0}, json{{"axis", "x"}});
  points.emplace_back(2, Vector{0, 2}, json{{"axis", "y"}});
  points.emplace_back(3, Vector{-3, 0}, json{{"axis", "x"}});
  points.emplace_back(4, Vector{0, -4}, json{{"axis", "y"}});
  points.emplace_back(5, Vector{0, 0}, json::object());
  return points;
}

SearchRequest nearest_to(float x, float y, std::size_t limit = 10) {
  return SearchRequest(Vector{x, y}, limit);
}

SearchRequest filtered(float x, float y, const char* filter) {
  SearchRequest request = nearest_to(x, y);
  request.filter = Filter::from_json(json::parse(filter));
  return request;
}

std::string to_text(const std::vector<ScoredPoint>& points) {
  std::string text;
  for (const ScoredPoint& point : points) {
    char score[32];
    std::snprintf(score, sizeof(score), "%.4g", static_cast<double>(point.score));
    text += point.id.to_string() + ':' + score + ' ';
  }
  return text;
}

TEST(VectordbCollection, scores_and_order_of_each_distance_exact_and_through_the_graph) {
  struct Row {
    Distance distance;
    const char* expected;
  };
  const Row rows[] = {
      {Distance::Cosine, "1:1 2:0 4:0 5:0 3:-1 "},
      {Distance::Dot, "1:2 2:0 4:0 5:0 3:-6 "},
      {Distance::Euclid, "1:1 5:2 2:2.828 4:4.472 3:5 "},
      {Distance::Manhattan, "1:1 5:2 2:4 3:5 4:6 "},
  };
  with_database([&](Database& database) -> Coro<> {
    for (const Row& row : rows) {
      std::string name(to_string(row.distance));
      Collection collection = co_await database.create(name, graph_only(2, row.distance));
      co_await collection.upsert(square());
      for (bool exact : {true, false}) {
        SearchRequest request = nearest_to(2, 0);
        request.exact = exact;
        EXPECT_EQ(to_text(co_await collection.search(request)), row.expected) << name;
      }
    }
    EXPECT_EQ(database.metrics().searches, 8u);
    EXPECT_EQ(database.metrics().exact_searches, 4u);
  });
}

TEST(VectordbCollection, limit_offset_threshold_and_filter) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(2, Distance::Euclid));
    co_await collection.upsert(square());
    SearchRequest request = nearest_to(2, 0, 2);
    EXPECT_EQ(to_text(co_await collection.search(request)), "1:1 5:2 ");
    request.offset = 3;
    EXPECT_EQ(to_text(co_await collection.search(request)), "4:4.472 3:5 ");
    request.offset = 5;
    EXPECT_EQ(to_text(co_await collection.search(request)), "");
    request.limit = 0;
    EXPECT_EQ(to_text(co_await collection.search(request)), "");
    request = nearest_to(2, 0);
    request.score_threshold = 2.0F;
    EXPECT_EQ(to_text(co_await collection.search(request)), "1:1 5:2 ");
    request = filtered(2, 0, R"({"must": {"key": "axis", "match": {"value": "y"}}})");
    request.with_payload = true;
    request.with_vector = true;
    std::vector<ScoredPoint> found = co_await collection.search(request);
    EXPECT_EQ(to_text(found), "2:2.828 4:4.472 ");
    EXPECT_EQ(found[0].payload->dump(), R"({"axis":"y"})");
    EXPECT_EQ(json(*found[0].vector).dump(), "[0.0,2.0]");
  });
}

TEST(VectordbCollection, a_search_leaves_out_the_excluded_point) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(2, Distance::Euclid));
    co_await collection.upsert(square());
    for (bool exact : {true, false}) {
      SearchRequest request = nearest_to(2, 0, 2);
      request.exact = exact;
      request.excluded = PointId(1);
      EXPECT_EQ(to_text(co_await collection.search(request)), "5:2 2:2.828 ");
      request.filter = Filter::from_json(json::parse(R"({"must": {"has_id": [1, 3]}})"));
      EXPECT_EQ(to_text(co_await collection.search(request)), "3:5 ");
    }
  });
}

TEST(VectordbCollection, scores_beyond_a_float_are_its_largest) {
  struct Row {
    Distance distance;
    const char* expected;
  };
  const Row rows[] = {
      {Distance::Dot, "1:3.403e+38 2:0 3:-3.403e+38 "},
      {Distance::Euclid, "1:0 2:3.403e+38 3:3.403e+38 "},
      {Distance::Manhattan, "1:0 2:3.403e+38 3:3.403e+38 "},
  };
  with_database([&](Database& database) -> Coro<> {
    for (const Row& row : rows) {
      std::string name(to_string(row.distance));
      Collection collection = co_await database.create(name, CollectionConfig(2, row.distance));
      co_await collection.upsert(one_point(1, 3e38F, 3e38F));
      co_await collection.upsert(one_point(2, -3e38F, 3e38F));
      co_await collection.upsert(one_point(3, -3e38F, -3e38F));
      EXPECT_EQ(to_text(co_await collection.search(nearest_to(3e38F, 3e38F))), row.expected)
          << name;
    }
  });
}

/// The graph's own distances are NaN for all but every fourth.
TEST(VectordbCollection, the_nearest_of_what_the_graph_finds_though_distances_are_no_numbers) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(2, Distance::Dot));
    for (std::size_t id = 0; id < 40; ++id)
      co_await collection.upsert(one_point(id, id % 4 == 0 ? 3e38F : -3e38F, 3e38F));
    SearchRequest request = nearest_to(3e38F, 3e38F, 5);
    const std::string best = "0:3.403e+38 4:3.403e+38 8:3.403e+38 12:3.403e+38 16:3.403e+38 ";
    EXPECT_EQ(to_text(co_await collection.search(request)), best);
    request.exact = true;
    EXPECT_EQ(to_text(co_await collection.search(request)), best);
  });
}

TEST(VectordbCollection, cosine_keeps_vectors_of_length_one_and_zero_as_it_is) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", CollectionConfig(2));
    co_await collection.upsert(one_point(1, 3, 4));
    co_await collection.upsert(one_point(2, 0, 0));
    EXPECT_EQ(co_await test::contents(collection),
              "1 [0.6000000238418579,0.800000011920929] {}\n2 [0.0,0.0] {}\n");
    EXPECT_EQ(to_text(co_await collection.search(nearest_to(30, 40))), "1:1 2:0 ");
  });
}

TEST(VectordbCollection, scroll_count_and_retrieve) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", CollectionConfig(2, Distance::Dot));
    co_await collection.upsert(square());
    ScrollRequest request;
    request.limit = 2;
    std::string ids;
    for (bool more = true; more;) {
      ScrollPage page = co_await collection.scroll(request);
      for (const Record& record : page.points) ids += record.id.to_string();
      ids += ' ';
      more = page.next_page_offset.has_value();
      request.offset = page.next_page_offset;
    }
    EXPECT_EQ(ids, "12 34 5 ");
    Filter on_x =
        Filter::from_json(json::parse(R"({"must": [{"key": "axis", "match": {"value": "x"}}]})"));
    EXPECT_EQ(co_await collection.count(on_x), 2u);
    EXPECT_EQ(co_await collection.count(), 5u);
    std::vector<PointId> asked(3);
    asked[0] = 4;
    asked[1] = 99;
    asked[2] = 1;
    std::vector<Record> records = co_await collection.retrieve(asked, true, true);
    EXPECT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].id, PointId(4));
    EXPECT_EQ(records[1].payload->dump(), R"({"axis":"x"})");
    records = co_await collection.retrieve(asked, false);
    EXPECT_FALSE(records[0].payload || records[0].vector);
  });
}

/// Each with a point that is in order before it: nothing of a batch is put in.
TEST(VectordbCollection, what_is_refused_names_the_field_and_changes_nothing) {
  struct Row {
    Vector vector;
    json payload;
    const char* message;
  };
  json deep = 1;
  for (int i = 0; i < 100; ++i) deep = json{{"a", deep}};
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<Row> rows = {
      {{1}, json::object(), "points[1].vector: 1 dimensions, the collection has 2"},
      {{1, 2, 3}, json::object(), "points[1].vector: 3 dimensions, the collection has 2"},
      {{1, std::nanf("")}, json::object(), "points[1].vector[1]: not a number (NaN)"},
      {{-infinity, 1}, json::object(), "points[1].vector[0]: infinite"},
      {{1, 2}, json(5), "points[1].payload: not an object: 5"},
      {{1, 2}, deep, "points[1].payload: deeper than 64 levels"},
      {{1, 2},
       json{{"a", std::string(Limits::kPayload, 'x')}},
       "points[1].payload: 16777241 bytes, more than 16777216"},
  };
  with_database([&](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", CollectionConfig(2));
    for (const Row& row : rows) {
      std::vector<Point> points = one_point(1, 1, 1);
      points.emplace_back(2, row.vector, row.payload);
      auto outcome = co_await capture(collection.upsert(points));
      EXPECT_EQ(message_of(outcome), row.message);
    }
    std::vector<Point> many(Limits::kBatch + 1);
    EXPECT_EQ(message_of(co_await capture(collection.upsert(many))),
              "points: 100001 is more than 100000");
    EXPECT_EQ(co_await collection.count(), 0u);
    SearchRequest request = nearest_to(1, 1, Limits::kResults + 1);
    EXPECT_EQ(message_of(co_await capture(collection.search(request))),
              "limit: 100001 is more than 100000");
    ScrollRequest nothing;
    nothing.limit = 0;
    EXPECT_EQ(message_of(co_await capture(collection.scroll(nothing))), "limit: 0, less than 1");
    EXPECT_EQ(message_of(co_await capture(collection.search(SearchRequest()))),
              "vector: 0 dimensions, the collection has 2");
  });
}

std::vector<Point> many_points(std::uint64_t first, std::uint64_t count) {
  std::vector<Point> points;
  for (std::uint64_t id = first; id < first + count; ++id)
    points.emplace_back(id, Vector{1, 0}, json{{"first", id == 0}});
  return points;
}

/// In the log it is there once, in memory for each point: it is refused before it is in the log.
TEST(VectordbCollection, a_payload_times_its_points_has_a_limit) {
  const json large{{"x", std::string(15'000'000, 'x')}};
  const std::string refusal = "payload: 15000025 bytes for 100 points, more than 1073741824";
  const Filter first =
      Filter::from_json(json::parse(R"({"must": {"key": "first", "match": {"value": true}}})"));
  with_database([&](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", CollectionConfig(2, Distance::Dot));
    auto upsert = create_task(collection.upsert(many_points(0, 100)));
    // Beside the upsert it waits for the same commit, and yet counts its points.
    auto set = create_task(collection.set_payload(Filter(), large));
    EXPECT_EQ(message_of(co_await capture(set)), refusal);
    co_await upsert;
    const std::uint64_t log_bytes = (co_await collection.info()).log_bytes;
    std::vector<PointId> ids;
    for (std::uint64_t id = 0; id < 100; ++id) ids.emplace_back(id);
    EXPECT_EQ(message_of(co_await capture(collection.overwrite_payload(ids, large))), refusal);
    EXPECT_EQ(message_of(co_await capture(collection.set_payload(ids, large, "long"))),
              "payload: 15000029 bytes for 100 points, more than 1073741824");
    EXPECT_EQ((co_await collection.info()).log_bytes, log_bytes);
    co_await collection.overwrite_payload(first, large);  // one point of the hundred
    EXPECT_EQ(co_await collection.count(first), 0u);
  });
}

TEST(VectordbCollection, unknown_and_deleted_collections) {
  with_database([](Database& database) -> Coro<> {
    EXPECT_THROW(database.get("c"), CollectionNotFound);
    EXPECT_TRUE((co_await capture(database.erase("c"))).holds<CollectionNotFound>());
    Collection collection = co_await database.create("c", CollectionConfig(2));
    EXPECT_EQ(message_of(co_await capture(database.create("c", CollectionConfig(2)))),
              "collection 'c' already exists");
    EXPECT_TRUE(
        (co_await capture(database.create("a/b", CollectionConfig(2)))).holds<InvalidArgument>());
    EXPECT_TRUE(
        (co_await capture(database.create("d", CollectionConfig(0)))).holds<InvalidArgument>());
    co_await database.erase("c");
    EXPECT_EQ(message_of(co_await capture(collection.count())), "collection 'c' does not exist");
    EXPECT_TRUE((co_await capture(collection.upsert(square()))).holds<CollectionNotFound>());
    EXPECT_TRUE(database.list().empty());
    co_await database.create("c", CollectionConfig(3));  // the name is free again
  });
}

/// How many of the ten nearest the graph finds, of all.
Coro<double> recall(Collection collection, Clustered& data, int queries) {
  std::size_t hits = 0;
  for (int i = 0; i < queries; ++i) {
    SearchRequest request(data.next());
    request.exact = true;
    std::set<PointId> truth;
    for (const ScoredPoint& point : co_await collection.search(request)) truth.insert(point.id);
    request.exact = false;
    for (const ScoredPoint& point : co_await collection.search(request))
      hits += truth.contains(point.id);
  }
  co_return static_cast<double>(hits) / (10.0 * queries);
}

TEST(VectordbCollection, recall_at_ten_stays_above_095_also_after_deletions_and_updates) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(32, Distance::Euclid));
    Clustered data(32, 50);
    co_await collection.upsert(data.points(0, 3000));
    EXPECT_GE(co_await recall(collection, data, 50), 0.95);
    co_await collection.erase(
        Filter::from_json(json::parse(R"({"must": {"key": "group", "range": {"lt": 3}}})")));
    EXPECT_EQ((co_await collection.info()).deleted_slots, 900u);
    EXPECT_GE(co_await recall(collection, data, 50), 0.95);
    co_await collection.upsert(data.points(2500, 1400));  // 350 are there; the rest take free slots
    CollectionInfo info = co_await collection.info();
    EXPECT_EQ(info.points, 3150u);
    EXPECT_EQ(info.deleted_slots, 0u);
    EXPECT_GE(co_await recall(collection, data, 50), 0.95);
  });
}

/// With the settings that a collection has by default. In few clusters, so that each point has
/// thousands of others about as near: where there are fifty, the graph finds all.
TEST(VectordbCollection, S46_recall_at_ten_of_twenty_thousand_clustered_points) {
  constexpr std::size_t kPoints = test::kSanitized ? 2'000 : 20'000;
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(64, Distance::Cosine));
    Clustered data(64, 5);
    co_await collection.upsert(data.points(0, kPoints));
    EXPECT_GE(co_await recall(collection, data, 200), 0.95);
  });
}

TEST(VectordbCollection, a_filter_through_the_graph_finds_as_many_as_there_are) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(8, Distance::Cosine));
    Clustered data(8, 20);
    co_await collection.upsert(data.points(0, 1000));
    SearchRequest request(data.next(), 20);
    request.hnsw_ef = 4;
    request.filter =
        Filter::from_json(json::parse(R"({"must": {"key": "group", "range": {"lt": 5}}})"));
    std::vector<ScoredPoint> found = co_await collection.search(request);
    EXPECT_EQ(found.size(), 20u);
    for (const ScoredPoint& point : found) EXPECT_LT(point.id.number() % 10, 5u);
    EXPECT_EQ(database.metrics().exact_searches, 0u);
    request.filter = Filter::from_json(json::parse(R"({"must": {"has_id": [7, 500, 5000]}})"));
    EXPECT_EQ((co_await collection.search(request)).size(), 2u);
    EXPECT_EQ(database.metrics().exact_searches, 1u);
  });
}

/// Slots of the nearest first, of each in `index` that passes.
std::string nearest_slots(const VectorIndex& index, const Vector& query, const SlotFilter& passes,
                          Slot slots, std::size_t limit) {
  std::vector<std::pair<float, Slot>> all;
  for (Slot slot = 0; slot < slots; ++slot)
    if (passes(slot)) all.emplace_back(index.distance(query, slot), slot);
  std::sort(all.begin(), all.end());
  std::string text;
  for (std::size_t i = 0; i < std::min(limit, all.size()); ++i)
    text += std::to_string(all[i].second) + ' ';
  return text;
}

std::string found_slots(std::vector<Neighbour> found, std::size_t limit) {
  std::sort(found.begin(), found.end(), [](const Neighbour& a, const Neighbour& b) {
    return std::pair(a.distance, a.slot) < std::pair(b.distance, b.slot);
  });
  std::string text;
  for (std::size_t i = 0; i < std::min(limit, found.size()); ++i)
    text += std::to_string(found[i].slot) + ' ';
  return text;
}

/// Vectors of less than a line of the processor's cache, of some, and of more than are prefetched;
/// first with all there, then with every third erased.
TEST(VectordbCollection, the_graph_finds_the_nearest_that_pass_and_are_not_erased) {
  constexpr Slot kSlots = 400;
  const SlotFilter few = [](Slot slot) { return slot % 7 == 0; };
  for (std::size_t dimensions : {3U, 50U, 300U}) {
    auto index = make_hnsw_index(CollectionConfig(dimensions, Distance::Euclid));
    EXPECT_TRUE(index->search(Vector(dimensions), 10, nullptr).empty());
    Clustered data(dimensions, 5);
    index->reserve(kSlots);
    for (Slot slot = 0; slot < kSlots; ++slot) index->put(slot, data.next());
    for (bool erases : {false, true}) {
      for (Slot slot = 0; erases && slot < kSlots; slot += 3) index->erase(slot);
      const SlotFilter live = [&](Slot slot) { return !erases || slot % 3 != 0; };
      const SlotFilter both = [&](Slot slot) { return live(slot) && few(slot); };
      const Vector query = data.next();
      EXPECT_EQ(found_slots(index->search(query, kSlots, nullptr), kSlots),
                nearest_slots(*index, query, live, kSlots, kSlots));
      EXPECT_EQ(found_slots(index->search(query, kSlots, &few), kSlots),
                nearest_slots(*index, query, both, kSlots, kSlots));
      EXPECT_EQ(found_slots(index->search(query, 100, nullptr), 5),
                nearest_slots(*index, query, live, kSlots, 5));
      EXPECT_EQ(index->search(query, 100, nullptr).size(), 100u);
    }
  }
}

/// Readers beside a writer see whole points: the payload says what the vector has to be.
Coro<> read_on(Collection collection, const bool& done, int& reads) {
  while (!done) {
    SearchRequest request = nearest_to(1, 1);
    request.with_payload = true;
    request.with_vector = true;
    std::vector<ScoredPoint> found = co_await collection.search(request);
    for (const ScoredPoint& point : found)
      EXPECT_EQ(point.payload->at("x").get<float>(), point.vector->at(0));
    co_await collection.count();
    ++reads;
  }
}

TEST(VectordbCollection, many_readers_beside_a_writer) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", graph_only(2, Distance::Euclid));
    bool done = false;
    int reads = 0;
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      for (int i = 0; i < 8; ++i) group.create_task(read_on(collection, done, reads));
      for (int round = 0; round < 40; ++round) {
        std::vector<Point> points;
        for (std::uint64_t id = 0; id < 20; ++id) {
          auto x = static_cast<float>((static_cast<std::uint64_t>(round) * 7 + id) % 50);
          points.emplace_back(id, Vector{x, 1}, json{{"x", x}});
        }
        co_await collection.upsert(std::move(points));
        std::vector<PointId> gone;
        for (std::uint64_t id = 0; id < 20; id += 3) gone.emplace_back(id);
        co_await collection.erase(std::move(gone));
      }
      done = true;
    });
    EXPECT_GT(reads, 8);
    EXPECT_EQ(co_await collection.count(), 13u);
  });
}

TEST(VectordbCollection, a_cancelled_write_takes_place_and_a_cancelled_read_is_dropped) {
  with_database([](Database& database) -> Coro<> {
    Collection collection = co_await database.create("c", CollectionConfig(2));
    Task<> write = create_task(collection.upsert(square()));
    Task<std::size_t> read = create_task(collection.count());
    co_await sleep(std::chrono::seconds(0));
    write.cancel();
    read.cancel();
    EXPECT_TRUE((co_await capture(write)).cancelled());
    EXPECT_TRUE((co_await capture(read)).cancelled());
    co_await collection.clear_payload(Filter());  // behind the other
    EXPECT_EQ(co_await collection.count(), 5u);
  });
}

}  // namespace
