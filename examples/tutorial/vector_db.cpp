// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

using Vector = std::vector<double>;

// [database]
class Match {
 public:
  Match(std::string name, double similarity) : document(std::move(name)), score(similarity) {}
  std::string document;
  double score;
};

// Stands in for a client of a vector database: each call waits as one over the network would.
class AsyncVectorDB {
 public:
  static Coro<AsyncVectorDB> connect(std::string address) {
    co_await sleep(10ms);
    std::cout << "connected to " << address << "\n";
    co_return AsyncVectorDB();
  }

  Coro<> create_collection(std::string name, std::size_t dim) {
    co_await sleep(5ms);
    collections_[name];
    dim_ = dim;
  }

  Coro<std::size_t> batch_insert(std::string collection, std::map<std::string, Vector> documents) {
    co_await sleep(20ms);
    for (const auto& [name, vector] : documents)
      if (vector.size() != dim_) throw ValueError(name + ": wrong number of dimensions");
    std::size_t count = documents.size();
    collections_.at(collection).merge(documents);
    co_return count;
  }

  Coro<std::vector<Match>> search(std::string collection, Vector query, std::size_t top_k) {
    co_await sleep(10ms);
    auto found = collections_.find(collection);
    if (found == collections_.end()) throw ValueError("no collection " + collection);
    std::vector<Match> matches;
    for (const auto& [name, vector] : found->second)
      matches.emplace_back(name, cosine(vector, query));
    auto better = [](const Match& a, const Match& b) { return a.score > b.score; };
    std::sort(matches.begin(), matches.end(), better);
    while (matches.size() > top_k) matches.pop_back();
    co_return matches;
  }

  Coro<> close() {
    co_await sleep(5ms);
    std::cout << "connection closed\n";
  }

 private:
  static double cosine(const Vector& a, const Vector& b) {
    double dot = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      dot += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return dot / std::sqrt(aa * bb);
  }

  std::map<std::string, std::map<std::string, Vector>> collections_;
  std::size_t dim_ = 0;
};
// [/database]

// [application]
Vector direction(int i) { return {std::cos(i * 0.1), std::sin(i * 0.1), 0.5}; }

Coro<> use(AsyncVectorDB& db, std::string collection) {
  co_await db.create_collection("items", 3);
  std::map<std::string, Vector> documents;
  for (int i = 0; i < 50; ++i) documents["item_" + std::to_string(i)] = direction(i);
  std::size_t inserted = co_await db.batch_insert("items", std::move(documents));
  std::cout << "inserted: " << inserted << "\n";

  std::vector<Coro<std::vector<Match>>> searches;
  for (int i = 0; i < 5; ++i) searches.push_back(db.search(collection, direction(10 * i), 3));
  auto results = co_await gather(std::move(searches));
  std::cout << "queries: " << results.size() << "\n";
  for (const Match& match : results.front())
    std::cout << "  " << match.document << ": " << match.score << "\n";
}

Coro<std::string> application(std::string collection) {
  AsyncVectorDB db = co_await AsyncVectorDB::connect("localhost:8000");
  auto work = [&]() -> Coro<std::string> {
    co_await use(db, collection);
    co_return "success";
  };
  auto report = [](std::exception& e) { return std::string("error: ") + e.what(); };
  auto close = [&]() -> Coro<> { co_await db.close(); };
  co_return co_await try_(work).except<std::exception>(report).finally_(close);
}

int main() {
  for (const char* collection : {"items", "misspelt"}) {
    std::string status = run(application(collection));
    std::cout << "status: " << status << "\n";
  }
}
// [/application]
