// SPDX-License-Identifier: BSL-1.0
/// What the command line says.
#pragma once

#include "vectordb/server/options.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vectordb::cli {

/// Exit statuses; the README has them.
enum Exit : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kNotFound = 3,
  kBadInput = 4,
  kUnavailable = 5,
  kStopped = 130
};

/// Of the commands that ask a server.
class Options {
 public:
  Options() {}

  std::string command;  // "insert"
  std::string url = "localhost:8000";
  std::string api_key;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  double timeout = 60;  // seconds
  int retries = 4;
  std::string collection;

  // create
  std::size_t dim = 128;
  std::string distance = "Cosine";
  std::optional<std::size_t> m, ef_construct;

  // insert, export
  std::string file = "-";
  std::string format;  // by the file's name without
  std::uint64_t first_id = 0;
  std::size_t batch = 256;
  std::size_t concurrency = 4;

  // search, get, delete
  std::vector<std::string> ids;
  std::string vector;
  std::string near;
  std::size_t limit = 5;
  std::string filter;
  bool exact = false;
  std::optional<std::size_t> ef;
  std::optional<float> threshold;
  bool all = false;

  // bench
  std::string scratch = "bench";  // its collection
  std::size_t points = 10'000;
  double seconds = 5;
  bool keep = false;

  std::string shell;  // completion
  ServeOptions serve;
};

/// Reads the command line into `options`.
/// Returns: an exit status if the program is to end with it: after --help, or an error that was
/// printed.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace vectordb::cli
