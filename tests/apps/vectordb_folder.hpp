// SPDX-License-Identifier: BSL-1.0
/// Data bases of tests, in folders that are gone with them.
#pragma once

#include "folder.hpp"
#include "vectordb/engine/database.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// One thread: hnswlib's parallel insertion reads what others write, which the thread sanitizer
/// would report.
inline asyncio::Coro<vectordb::Database> open(const Folder& folder,
                                              std::uint64_t log_bytes = 64 << 20) {
  vectordb::DatabaseOptions options;
  options.threads(1).log_bytes(log_bytes);
  return vectordb::Database::open(folder.path(), options);
}

/// All there is, in order of id.
inline asyncio::Coro<std::string> contents(vectordb::Collection collection) {
  vectordb::ScrollRequest request;
  request.limit = vectordb::Limits::kResults;
  request.with_vector = true;
  vectordb::ScrollPage page = co_await collection.scroll(request);
  std::string text;
  for (const vectordb::Record& record : page.points) {
    text += record.id.to_string() + ' ' + nlohmann::json(*record.vector).dump() + ' ' +
            record.payload->dump() + '\n';
  }
  co_return text;
}

/// Of two dimensions. No braces: g++ 12 takes none beside a co_await.
inline std::vector<vectordb::Point> one_point(vectordb::PointId id, float x, float y,
                                              const char* payload = "{}") {
  std::vector<vectordb::Point> points;
  points.emplace_back(id, vectordb::Vector{x, y}, nlohmann::json::parse(payload));
  return points;
}

/// What was thrown.
template <class Outcome>
std::string message_of(const Outcome& outcome) {
  try {
    (void)outcome.value();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Around as many centres as this, as embeddings are; the same for the same seed.
class Clustered {
 public:
  Clustered(std::size_t dimensions, std::size_t clusters, unsigned seed = 1) : random_(seed) {
    for (std::size_t i = 0; i < clusters; ++i) centres_.push_back(noise(dimensions, 1));
  }
  vectordb::Vector next() {
    const vectordb::Vector& centre = centres_[random_() % centres_.size()];
    vectordb::Vector vector = noise(centre.size(), 0.5F);
    for (std::size_t i = 0; i < vector.size(); ++i) vector[i] += centre[i];
    return vector;
  }
  std::vector<vectordb::Point> points(std::uint64_t first, std::size_t count) {
    std::vector<vectordb::Point> all;
    for (std::uint64_t id = first; id < first + count; ++id)
      all.emplace_back(id, next(), nlohmann::json{{"group", id % 10}});
    return all;
  }

 private:
  vectordb::Vector noise(std::size_t size, float width) {
    std::normal_distribution<float> normal(0, width);
    vectordb::Vector vector(size);
    for (float& value : vector) value = normal(random_);
    return vector;
  }

  std::mt19937 random_;
  std::vector<vectordb::Vector> centres_;
};

}  // namespace test
