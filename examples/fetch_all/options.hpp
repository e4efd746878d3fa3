// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

namespace fetch_all {

/// What the command line says.
class Options {
 public:
  Options() {}

  std::filesystem::path folder = "/usr/share/doc";
  std::string host;  // empty: our own server, in this process
  unsigned port = 0;
  std::size_t files = 2000;
  std::size_t concurrency = 100;
  int attempts = 3;
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds latency{5};  // of our own server
  std::size_t sample = 100;              // files fetched one after another for the comparison
};

/// Throws std::invalid_argument with a sentence for the user.
Options parse(int argc, char** argv);

extern const char* const usage;

}  // namespace fetch_all
