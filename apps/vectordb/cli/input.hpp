// SPDX-License-Identifier: BSL-1.0
/// Points in files: JSON lines, CSV, .npy and .fvecs.
#pragma once

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/point.hpp"

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vectordb::cli {

/// What a file says is no point: "points.jsonl:3: vector[0]: not a number".
class InputError : public Error {
 public:
  InputError(const std::string& place, const std::string& problem)
      : Error(place + ": " + problem) {}
};

/// Points, and where each of them was.
class Batch {
 public:
  Batch() {}

  std::vector<Point> points;
  std::vector<std::string> places;
  std::size_t bytes = 0;  // how much of the file they were
};

/// Reads points one by one; blocks while it does.
///
/// Thread   any, one at a time.
class PointReader {
 public:
  virtual ~PointReader() = default;

  /// Nothing at the end. Throws: InputError.
  virtual std::optional<Point> next() = 0;
  /// Where the last one was: "points.jsonl:3".
  virtual std::string place() const = 0;
  /// Up to `count`, with kRequestBytes at most unless the first has more; none at the end.
  Batch batch(std::size_t count);

 private:
  std::optional<Point> ahead_;  // was too much for the last batch
};

/// {"id", "vector", "payload"} on each line; an id may be any name.
std::unique_ptr<PointReader> read_jsonl(std::istream& input, std::string name);
/// A line with the columns' names first: "id", and "vector" (a JSON array) or "v0", "v1", ...; the
/// others are the payload.
std::unique_ptr<PointReader> read_csv(std::istream& input, std::string name);
/// A matrix of float32 or float64 as numpy.save writes it; ids count from `first_id`. If there are
/// not as many up to 2^64 - 1, that is an error before the first row.
std::unique_ptr<PointReader> read_npy(std::istream& input, std::string name,
                                      std::uint64_t first_id);
/// Vectors with their sizes before them, as data sets for searches come. `bytes` is the size of all
/// of it, if that is known: without, rows are not counted before, and the one that has no id any
/// more is the error.
std::unique_ptr<PointReader> read_fvecs(std::istream& input, std::string name,
                                        std::uint64_t first_id,
                                        std::optional<std::uint64_t> bytes = std::nullopt);

/// By the format's name. Throws: InputError for one that is not known.
std::unique_ptr<PointReader> read_points(std::istream& input, const std::string& name,
                                         const std::string& format, std::uint64_t first_id,
                                         std::optional<std::uint64_t> bytes = std::nullopt);
/// "csv" of "points.csv"; "jsonl" of what has no ending.
std::string format_of(const std::string& file);

}  // namespace vectordb::cli
