// SPDX-License-Identifier: BSL-1.0
// The tutorials' complete application: configuration, start, a batch, searches at the same time,
// errors, cleaning up.
#include "vectordb/client/client.hpp"
#include <asyncio/asyncio.hpp>

#include <cmath>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using vectordb::AsyncVectorDB;
using vectordb::Match;
using vectordb::Vector;

class Config {
 public:
  Config() {}

  std::string address = "localhost:8000";
  std::string collection = "app";
  std::string searched = "app";  // another one shows the way of an error
  std::size_t dim = 3;
  std::size_t items = 50;
  std::size_t searches = 5;
};

class Report {
 public:
  Report() {}

  bool created = false;  // and so ours to delete
  std::size_t inserted = 0;
  std::size_t queries = 0;
  std::string status = "success";
};

Vector direction(std::size_t i) {
  float angle = 0.1F * static_cast<float>(i);
  return {std::cos(angle), std::sin(angle), 0.5F};
}

std::map<std::string, Vector> items(std::size_t count) {
  std::map<std::string, Vector> all;
  for (std::size_t i = 0; i < count; ++i) all["item_" + std::to_string(i)] = direction(i);
  return all;
}

Coro<> work(AsyncVectorDB& db, const Config& config, Report& report) {
  co_await db.create_collection(config.collection, config.dim);
  report.created = true;
  report.inserted = co_await db.batch_insert(config.collection, items(config.items));
  std::vector<Coro<std::vector<Match>>> searches;
  for (std::size_t i = 0; i < config.searches; ++i)
    searches.push_back(db.search(config.searched, direction(10 * i), 3));
  auto results = co_await gather(std::move(searches));
  report.queries = results.size();
  for (const Match& match : results.front())
    std::cout << "  " << match.document << ": " << match.score << "\n";
}

Coro<Report> application(Config config) {
  Report report;
  AsyncVectorDB db = co_await AsyncVectorDB::connect(config.address);
  std::cout << "connected\n";
  auto body = [&]() -> Coro<> { co_await work(db, config, report); };
  auto failed = [&](std::exception& error) {
    report.status = std::string("error: ") + error.what();
  };
  auto clean_up = [&]() -> Coro<> {
    if (report.created) co_await db.delete_collection(config.collection);
    co_await db.close();
    std::cout << "cleaned up\n";
  };
  co_await try_(body).except<std::exception>(failed).finally_(clean_up);
  co_return report;
}

Coro<> run_and_tell(Config config) {
  Report report = co_await application(std::move(config));
  std::cout << "{inserted: " << report.inserted << ", queries: " << report.queries
            << ", status: " << report.status << "}\n";
}

int main(int argc, char** argv) {
  Config config;
  if (argc > 1) config.address = argv[1];
  if (argc > 2) config.searched = argv[2];
  return run_main(run_and_tell(config));
}
