// SPDX-License-Identifier: BSL-1.0
// The tutorials' script: insert a hundred vectors, find the three nearest to one.
#include "vectordb/client/client.hpp"
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <map>
#include <random>
#include <string>

using namespace asyncio;
using vectordb::AsyncVectorDB;
using vectordb::Match;
using vectordb::Vector;

std::map<std::string, Vector> random_documents(std::size_t count, std::size_t dim) {
  std::mt19937 random(1);
  std::normal_distribution<float> component;
  std::map<std::string, Vector> documents;
  for (std::size_t i = 0; i < count; ++i) {
    Vector& vector = documents["doc_" + std::to_string(i)];
    for (std::size_t j = 0; j < dim; ++j) vector.push_back(component(random));
  }
  return documents;
}

Coro<> use(AsyncVectorDB& db) {
  co_await db.create_collection("documents", 128);
  auto documents = random_documents(100, 128);
  Vector query = documents.at("doc_42");
  std::size_t inserted = co_await db.insert_vectors("documents", documents);
  std::cout << "inserted " << inserted << " vectors\n";
  std::vector<Match> matches = co_await db.search("documents", query, 3);
  for (const Match& match : matches) std::cout << match.document << ": " << match.score << "\n";
}

Coro<> run_script(std::string address) {
  AsyncVectorDB db = co_await AsyncVectorDB::connect(address);
  auto work = [&]() -> Coro<> { co_await use(db); };
  auto close = [&]() -> Coro<> { co_await db.close(); };
  co_await try_(work).finally_(close);
}

int main(int argc, char** argv) {
  return run_main(run_script(argc > 1 ? argv[1] : "localhost:8000"));
}
