// SPDX-License-Identifier: BSL-1.0
/// What is measured, and how it is written.
#pragma once

#include "plain.hpp"
#include "speed.hpp"
#include "vectordb/engine/config.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace bench {

/// The same for all that are compared.
struct Setup {
  Setup(std::size_t count, std::size_t dimensions);

  Dataset data;
  vectordb::CollectionConfig config;
  Vectors points, queries;
  std::vector<Ids> truth;

  std::size_t ef() const noexcept { return config.hnsw.default_ef(); }  // unless a search says
};

/// One ef, the engine in this process and plain hnswlib.
struct CurvePoint {
  std::size_t ef = 0;
  double recall = 0, plain_recall = 0;
  Speed alone, together, plain;
};

struct ServiceFigures {
  std::vector<double> ratios;  // of the rounds: searches at the same time, and plain hnswlib's
  double inserted_per_second = 0;
  std::size_t bytes = 0;  // of the server's memory, for a vector
  double ready_seconds = 0;
  double recall = 0, exact_recall = 0;
  Speed alone, together, plain, beside_writes;
  double written_per_second = 0;
};

struct Figures {
  std::vector<CurvePoint> curve;
  ServiceFigures service;
  std::size_t index_bytes = 0, plain_bytes = 0;  // for a vector
  double plain_seconds = 0;                      // to build it
};

/// Markdown.
void print(const Setup& setup, const Figures& figures);
/// A line for each ef, for tools/plot_recall.
void write_csv(const std::string& path, const std::vector<CurvePoint>& curve);

/// How many of `found` are true, of those that could be.
class Recall {
 public:
  template <class Found, class IdOf>
  void add(const Ids& truth, const Found& found, IdOf id_of) {
    wanted_ += truth.size();
    for (const auto& one : found) found_ += truth.contains(id_of(one));
  }
  double value() const { return static_cast<double>(found_) / static_cast<double>(wanted_); }

 private:
  std::size_t wanted_ = 0, found_ = 0;
};

}  // namespace bench
