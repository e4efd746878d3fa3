// SPDX-License-Identifier: BSL-1.0
// Requests that are nearly right, for the whole server of apps/vectordb. ASYNCIO_SEEDS says how
// many, SEED=n replays one.
#include "seeds.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/server/answers.hpp"
#include "vectordb/server/json_text.hpp"
#include "vectordb_served.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using nlohmann::json;
using test::Random;
using test::Said;
using test::VectorDB;

namespace {

class Request {
 public:
  Request(std::string verb, std::string target, std::string content)
      : method(std::move(verb)), path(std::move(target)), body(std::move(content)) {}

  std::string text() const {
    return method + " " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  std::string method, path, body;
};

/// Requests that are right.
std::vector<Request> requests() {
  std::string at = "/collections/c/points";
  std::string filter = R"("filter":{"must":[{"key":"a.b","match":{"any":["x",1]}}],
    "should":[{"key":"n","range":{"gt":1,"lte":9.5}},{"is_null":{"key":"z"}}],
    "must_not":[{"has_id":[3,"00000000-0000-0000-0000-00000000000a"]},
    {"nested":{"key":"l","filter":{"must":[{"key":"m","values_count":{"gte":1}}]}}}]})";
  std::string search = R"({"vector":[1,2,3],"limit":3,"offset":1,"score_threshold":0.1,
    "with_payload":{"exclude":["n"]},"with_vector":true,"params":{"hnsw_ef":20,"exact":false},)";
  return {
      {"PUT", "/collections/c", R"({"vectors":{"size":3,"distance":"Cosine"},
        "hnsw_config":{"m":8,"ef_construct":50,"full_scan_threshold":10}})"},
      {"PUT", at + "?wait=true", R"({"points":[{"id":1,"vector":[1,2,3],"payload":{"n":1}},
        {"id":"9e107d9d-372b-4b68-8bd8-1fffd4a3e0f4","vector":[0,0.5,1e-3]}]})"},
      {"PUT", at, R"({"batch":{"ids":[3,4],"vectors":[[1,0,0],[0,1,0]],"payloads":[null,{}]}})"},
      {"PUT", at + "/vectors", R"({"points":[{"id":1,"vector":[3,2,1]}]})"},
      {"POST", at, R"({"ids":[1,2],"with_payload":["n"],"with_vector":true})"},
      {"GET", at + "/1", ""},
      {"POST", at + "/search", search + filter + "}"},
      {"POST", at + "/search/batch", R"({"searches":[)" + search + filter + "}]}"},
      {"POST", at + "/query", R"({"query":{"nearest":[1,2,3]},"limit":2,)" + filter + "}"},
      {"POST", at + "/query", R"({"query":1,"limit":2,"offset":0})"},
      {"POST", at + "/scroll", R"({"limit":2,"offset":1,"with_payload":true,)" + filter + "}"},
      {"POST", at + "/count", "{" + filter + "}"},
      {"POST", at + "/payload", R"({"payload":{"a":{"b":1}},"points":[1],"key":"l[0].m"})"},
      {"PUT", at + "/payload", R"({"payload":{"l":[{"m":1}]},)" + filter + "}"},
      {"POST", at + "/payload/delete", R"({"keys":["a.b","l[].m"],"points":[1,3]})"},
      {"POST", at + "/payload/clear", R"({"points":[4]})"},
      {"POST", at + "/delete", R"({"points":[4]})"},
      {"GET", "/collections/c", ""},
      {"DELETE", "/collections/d", ""},
      {"GET", "/metrics", ""},
  };
}

json awkward(Random& random) {
  switch (random.below(16)) {
    case 0:
      return nullptr;
    case 1:
      return -1;
    case 2:
      return 1.5;
    case 3:
      return 1e39;
    case 4:
      return std::numeric_limits<std::uint64_t>::max();
    case 5:
      return std::numeric_limits<std::int64_t>::min();
    case 6:
      return "";
    case 7:
      return std::string(300, 'x');
    case 8:
      return std::string("a\0b", 3);
    case 9:
      return json::array();
    case 10:
      return json::object();
    case 11:
      return true;
    case 12:
      return json::parse(std::string(40, '[') + std::string(40, ']'));
    case 13:
      return json(std::vector<float>(2000, 0.5F));
    case 14:
      return 65536;
    default:
      return random.below(4);
  }
}

/// Some value inside of `value`, or the whole.
json& somewhere(json& value, Random& random) {
  json* at = &value;
  while (at->is_structured() && !at->empty() && !random.one_in(4)) {
    auto child = at->begin();
    std::advance(child, random.below(static_cast<int>(at->size())));
    at = &*child;
  }
  return *at;
}

void change_value(std::string& body, Random& random) {
  json value = json::parse(body, nullptr, false);
  if (value.is_discarded()) return;
  json& at = somewhere(value, random);
  if (at.is_object() && !at.empty() && random.one_in(2))
    at.erase(at.begin());
  else if (at.is_array() && random.one_in(2))
    at.push_back(awkward(random));
  else
    at = awkward(random);
  body = value.dump();
}

void change_byte(std::string& text, Random& random) {
  if (text.empty()) return;
  auto at = static_cast<std::size_t>(random.below(static_cast<int>(text.size())));
  switch (random.below(4)) {
    case 0:
      text[at] = static_cast<char>(random.below(256));
      break;
    case 1:
      text.erase(at);
      break;
    case 2:
      text.insert(at, 1, static_cast<char>(random.below(256)));
      break;
    default:
      text.insert(at, text.substr(at / 2, 20));
  }
}

Request mutated(std::uint64_t seed) {
  Random random(seed);
  std::vector<Request> all = requests();
  Request request = all[static_cast<std::size_t>(random.below(static_cast<int>(all.size())))];
  for (int changes = 1 + random.below(3); changes > 0; --changes) {
    int which = random.below(10);
    if (which < 7) change_value(request.body, random);
    if (which == 7 || which == 8) change_byte(request.body, random);
    if (which == 9) change_byte(request.path, random);
  }
  return request;
}

/// The first line of what it answers; nothing if it closes without a word.
Coro<std::string> answer_to(std::uint16_t port, std::string request) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  writer.write(std::move(request));
  std::string line;
  try {
    line = co_await reader.readline();
    while (true) {
      std::string part = co_await reader.read(65536);
      if (part.empty()) break;
    }
  } catch (const OSError&) {  // it closes with some of the request unread
  }
  writer.close();
  co_return line;
}

Coro<> send(VectorDB& db, std::uint16_t port, std::uint64_t seed) {
  Request request = mutated(seed);
  std::string line = co_await answer_to(port, request.text());
  EXPECT_TRUE(line.starts_with("HTTP/1.1 ")) << request.text() << "\n" << line;
  EXPECT_FALSE(line.starts_with("HTTP/1.1 500")) << request.text();
  if (!line.starts_with("HTTP/1.1 2")) co_return;
  Said alive = co_await db.ask("GET", "/collections/c/exists");
  EXPECT_EQ(alive.status, 200) << request.text();
}

TEST(VectorDBFuzz, random_changes_of_requests_never_crash_it) {
  constexpr std::uint64_t kSample = 300;
  auto seeds = asyncio::testing::detail::seeds_to_run(kSample);
  test::with_vectordb([&](VectorDB& db) -> Coro<> {
    std::uint16_t port = http::URL("http://" + db.address()).port().value();
    for (const Request& request : requests()) {
      std::string line = co_await answer_to(port, request.text());
      EXPECT_TRUE(line.starts_with("HTTP/1.1 200")) << request.text() << line;
    }
    for (std::uint64_t i = 0; i < seeds.count && !::testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("SEED=" + std::to_string(seeds.first + i));
      co_await send(db, port, seeds.first + i);
    }
    for (const Request& request : requests()) {
      std::string line = co_await answer_to(port, request.text());
      bool known = line.starts_with("HTTP/1.1 200") || line.starts_with("HTTP/1.1 409");
      EXPECT_TRUE(known) << request.text() << line;
    }
  });
}

/// Equal, also in the types of numbers.
bool same(const json& left, const json& right) {
  if (left.type() != right.type() || left.size() != right.size()) return false;
  if (left.is_discarded()) return true;  // which nothing is equal to
  if (left.is_number_float() &&
      std::signbit(left.get<double>()) != std::signbit(right.get<double>()))
    return false;
  if (left.is_array()) return std::equal(left.begin(), left.end(), right.begin(), same);
  if (!left.is_object()) return left == right;
  return std::all_of(left.items().begin(), left.items().end(), [&](const auto& member) {
    return right.contains(member.key()) && same(member.value(), right[member.key()]);
  });
}

/// As nlohmann::json reads it: the same value, or neither takes it.
void expect_read(const std::string& text) {
  json expected = json::parse(text, nullptr, false);
  json value(json::value_t::discarded);
  try {
    value = vectordb::json_of(text);
  } catch (const vectordb::InvalidArgument&) {
  }
  EXPECT_TRUE(same(value, expected)) << text << "\n" << value << "\n" << expected;
}

std::vector<std::string> texts() {
  return {"", " ", "{}", " [ ] ", "[[],{}]", "[1,2", "[1 2]", "[1,]", "[,1]", "{,}", "}", "]",
          R"({"a":1,"a":2})", R"({"a" : [1, 2.5, -3] , "b":null})", R"({"a"})", R"({"a":})",
          R"({a:1})", R"({1:2})", "{} {}", "[] x", "\xEF\xBB\xBF[1]", "\xEF\xBB[1]", "'a'",
          // Numbers.
          "0", "-0", "-1", "00", "01", "-01", "+1", "-", ".5", "1.", "1.5", "-1.5e3", "1e5", "1E+5",
          "1e-5", "1e", "1e+", "1.e5", "0x10", "1_0", "0.1", "0.30000001192092896", "1e308",
          "1e309", "-1e999", "1e-400", "4.9e-324", "-0.0", "-0e0", "[-0.0]",
          "2.2250738585072011e-308", "123456789012345678", "1234567890123456789",
          "18446744073709551615", "18446744073709551616", "-9223372036854775808",
          "-9223372036854775809", "Infinity", "NaN", "nan", "inf",
          // Words and strings.
          "true", "false", "null", "tru", "truex", "True", "nulll", R"("")", R"("a b")", R"(")",
          R"("a)", R"("\)", R"("\")", R"("\"")", R"("\n\u00e9")", R"("\ud83d\ude00")",
          R"("\ud83d")", R"("\x")", "\"\n\"", "\"\x7F\"", "\"\xC3\xA9\"", "\"\xC3\"", "\"\xFF\"",
          R"({"\u0061":1,"a":2})", "{\"\xC3\xA9\":1}"};
}

bool is_read(const std::string& text) {
  try {
    vectordb::json_of(text);
    return true;
  } catch (const vectordb::InvalidArgument&) {
    return false;
  }
}

TEST(VectorDBFuzz, bodies_that_nlohmann_alone_would_take_are_refused) {
  EXPECT_FALSE(is_read(std::string("[1]\0junk", 8)));
  EXPECT_FALSE(is_read(std::string("[1]\0", 4)));
  EXPECT_TRUE(is_read(std::string(512, '[') + std::string(512, ']')));
  EXPECT_FALSE(is_read(std::string(513, '[') + std::string(513, ']')));
}

TEST(VectorDBFuzz, random_bodies_are_read_as_nlohmann_reads_them) {
  for (const std::string& text : texts()) expect_read(text);
  auto change = [](std::uint64_t seed) {
    Random random(seed);
    std::string text = mutated(seed).body;
    for (int changes = random.below(3); changes > 0; --changes) change_byte(text, random);
    std::erase(text, '\0');  // which nlohmann takes for the end
    expect_read(text);
  };
  test::for_each_seed(change, 2000);
}

/// Any bits: also infinities and what is no number.
float any_float(Random& random) {
  return std::bit_cast<float>(
      static_cast<std::uint32_t>(random.below(1 << 16) << 16 | random.below(1 << 16)));
}

vectordb::ScoredPoint any_point(Random& random) {
  vectordb::ScoredPoint point;
  point.id = vectordb::PointId::from_text(random.below(2) ? std::to_string(random.below(1000))
                                                          : "550e8400-e29b-41d4-a716-446655440000");
  if (random.below(2)) point.payload = {{"a \"b\"", {1, 2.5, nullptr}}, {"c", "\u00e9\n"}};
  if (random.below(2)) point.vector.emplace({any_float(random), 1.0F, any_float(random)});
  point.score = any_float(random);
  return point;
}

/// As nlohmann would make it a document.
json document_of(const vectordb::ScoredPoint& point, bool is_scored) {
  json one = {{"id", point.id.to_json()}};
  if (point.payload) one["payload"] = *point.payload;
  if (point.vector) one["vector"] = *point.vector;
  if (!is_scored) return one;
  one["score"] = point.score;
  one["version"] = 0;
  return one;
}

TEST(VectorDBFuzz, random_results_are_written_as_nlohmann_writes_them) {
  auto write = [](std::uint64_t seed) {
    Random random(seed);
    vectordb::Found found;
    vectordb::ScrollPage page;
    json expected = json::array(), records = json::array();
    for (int left = random.below(4); left > 0; --left) {
      found.push_back(any_point(random));
      page.points.push_back(found.back());
      expected.push_back(document_of(found.back(), true));
      records.push_back(document_of(found.back(), false));
    }
    // Read again: a float has one value and several spellings.
    auto read = [](const json& document) { return json::parse(document.dump()); };
    EXPECT_EQ(json::parse(scored(found)), read(expected));
    EXPECT_EQ(json::parse(vectordb::each_queried({found, {}})),
              read({{{"points", expected}}, {{"points", json::array()}}}));
    EXPECT_EQ(json::parse(vectordb::each_scored({{}, found})), read({json::array(), expected}));
    EXPECT_EQ(json::parse(vectordb::records(page.points)), read(records));
    EXPECT_EQ(json::parse(vectordb::page(page)),
              read({{"points", records}, {"next_page_offset", nullptr}}));
    if (found.empty()) return;
    page.next_page_offset = found.front().id;
    EXPECT_EQ(json::parse(vectordb::page(page))["next_page_offset"], found.front().id.to_json());
    EXPECT_EQ(json::parse(vectordb::first_record(page.points)), read(records[0]));
  };
  test::for_each_seed(write, 1000);
}

}  // namespace
