// SPDX-License-Identifier: BSL-1.0
#include "service.hpp"

#include "vectordb/client/client.hpp"
#include <asyncio/asyncio.hpp>

#include <charconv>
#include <string_view>

namespace bench {

using namespace asyncio;
using nlohmann::json;
using vectordb::AsyncVectorDB;
using vectordb::Match;
using vectordb::Point;
using vectordb::SearchOptions;

namespace {

constexpr const char* kCollection = "bench";
constexpr std::size_t kWritten = 4000;  // points, beside searches
constexpr std::size_t kBatch = 100;     // of them in a request
constexpr std::size_t kExact = 100;     // searches that look at every point
constexpr double kRoundSeconds = 2;

/// As bytes that are ready to be sent: a client takes little of the processors then.
std::string request(const char* method, const std::string& path, const json& body) {
  const std::string text = body.dump();
  return std::string(method) + " /collections/" + kCollection + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(text.size()) + "\r\n\r\n" + text;
}

std::vector<std::string> search_requests(const Setup& setup) {
  std::vector<std::string> all;
  for (const std::vector<float>& query : setup.queries)
    all.push_back(request("POST", "/points/search", {{"vector", query}, {"limit", kTop}}));
  return all;
}

std::vector<std::string> upsert_requests(Setup& setup) {
  std::vector<std::string> all;
  std::size_t id = setup.points.size();
  while (all.size() < kWritten / kBatch) {
    json points = json::array();
    while (points.size() < kBatch) points.push_back({{"id", id++}, {"vector", setup.data.next()}});
    all.push_back(request("PUT", "/points?wait=true", {{"points", std::move(points)}}));
  }
  return all;
}

/// A connection that is kept, on which one request follows the other.
class Connection {
 public:
  static Coro<Connection> open(const std::string& address) {
    const std::size_t colon = address.find(':');
    auto port = static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1)));
    auto [reader, writer] = co_await open_connection(address.substr(0, colon), port);
    co_return Connection(std::move(reader), std::move(writer));
  }

  /// Sends a request and reads the answer.
  Coro<> exchange(const std::string& request) {
    writer_.write(std::string_view(request));
    co_await writer_.drain();
    std::string head = co_await reader_.readuntil("\r\n\r\n");
    if (!head.starts_with("HTTP/1.1 200 ")) throw RuntimeError("the server answers: " + head);
    co_await reader_.readexactly(length_of(head));
  }
  void close() { writer_.close(); }

 private:
  Connection(StreamReader reader, StreamWriter writer)
      : reader_(std::move(reader)), writer_(std::move(writer)) {}

  static std::size_t length_of(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    std::size_t length = 0;
    if (at == std::string_view::npos) throw RuntimeError("an answer of unknown length");
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
  }

  StreamReader reader_;
  StreamWriter writer_;
};

/// Searches of several connections, until it is time.
class Searches {
 public:
  Searches(const Served& server, const std::vector<std::string>& requests)
      : server_(server), requests_(requests) {}

  /// As many at a time; `is_over()` is asked after each.
  template <class IsOver>
  Coro<Speed> run(std::size_t concurrency, IsOver is_over) {
    std::vector<Connection> connections;
    for (std::size_t i = 0; i < concurrency; ++i) {
      Connection connection = co_await Connection::open(server_.address());
      connections.push_back(std::move(connection));
    }
    const double before = server_.processor_time();
    Stopwatch watch;
    std::vector<Coro<>> workers;
    for (Connection& connection : connections)
      workers.push_back(search_some(connection, watch, is_over));
    co_await gather(std::move(workers));
    Speed speed = watch.speed(server_.processor_time() - before);
    for (Connection& connection : connections) connection.close();
    co_return speed;
  }

  Coro<Speed> run_round(std::size_t concurrency) {
    const auto begin = SteadyClock::now();
    return run(concurrency, [begin] { return seconds_since(begin) >= kRoundSeconds; });
  }

 private:
  template <class IsOver>
  Coro<> search_some(Connection& connection, Stopwatch& watch, IsOver is_over) {
    while (!is_over()) {
      const std::string& request = requests_[next_++ % requests_.size()];
      const auto begin = SteadyClock::now();
      co_await connection.exchange(request);
      watch.add(begin);
    }
  }

  const Served& server_;
  const std::vector<std::string>& requests_;
  std::size_t next_ = 0;
};

Coro<double> recall_of(const Served& server, const Setup& setup, std::size_t count,
                       SearchOptions options) {
  auto db = co_await AsyncVectorDB::connect(server.address());
  Recall recall;
  for (std::size_t i = 0; i < count; ++i) {
    auto found = co_await db.search(kCollection, setup.queries[i], kTop, options);
    recall.add(setup.truth[i], found, [](const Match& match) { return match.id.number(); });
  }
  co_await db.close();
  co_return recall.value();
}

Coro<> measure_beside_writer(const Served& server, Searches& searches, Setup& setup,
                             ServiceFigures& figures) {
  const std::vector<std::string> writes = upsert_requests(setup);
  Connection writer = co_await Connection::open(server.address());
  bool written = false;
  auto write_all = [&]() -> Coro<> {
    for (const std::string& one : writes) co_await writer.exchange(one);
  };
  auto write = [&]() -> Coro<> {
    const auto begin = SteadyClock::now();
    auto outcome = co_await capture(write_all());
    written = true;  // also if it failed: the searches end with it
    outcome.value();
    figures.written_per_second = static_cast<double>(kWritten) / seconds_since(begin);
  };
  auto search = [&]() -> Coro<> {
    figures.beside_writes = co_await searches.run(kConcurrency, [&written] { return written; });
  };
  TaskGroup group;
  co_await with(group, [&](TaskGroup& tasks) -> Coro<> {
    tasks.create_task(write());
    tasks.create_task(search());
    co_return;
  });
  writer.close();
}

}  // namespace

Coro<double> insert_all(const Served& server, const Setup& setup) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < setup.points.size(); ++i) points.emplace_back(i, setup.points[i]);
  auto db = co_await AsyncVectorDB::connect(server.address());
  co_await db.create_collection(kCollection, setup.config);
  const auto begin = SteadyClock::now();
  co_await db.batch_insert(kCollection, std::move(points));
  const double seconds = seconds_since(begin);
  co_await db.close();
  co_return static_cast<double>(setup.points.size()) / seconds;
}

Coro<> measure_service(const Served& server, Plain& plain, Setup& setup, ServiceFigures& figures) {
  figures.recall = co_await recall_of(server, setup, setup.queries.size(), SearchOptions());
  figures.exact_recall = co_await recall_of(server, setup, kExact, SearchOptions().exact());
  const std::vector<std::string> requests = search_requests(setup);
  Searches searches(server, requests);
  for (int round = 0; round < kRounds; ++round) {
    Speed alone = co_await searches.run_round(1);
    keep_best(figures.alone, alone);
    Speed together = co_await searches.run_round(kConcurrency);
    keep_best(figures.together, together);
    const auto as_many = static_cast<std::size_t>(together.per_second * kRoundSeconds);
    Speed direct = plain.speed(setup.queries, setup.ef(), as_many);
    keep_best(figures.plain, direct);
    figures.ratios.push_back(together.per_second / direct.per_second);
  }
  co_await measure_beside_writer(server, searches, setup, figures);
}

}  // namespace bench
