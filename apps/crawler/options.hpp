// SPDX-License-Identifier: BSL-1.0
/// What the command line says.
#pragma once

#include <asyncio/http/url.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace crawler {

using Seconds = std::chrono::duration<double>;

class Options {
 public:
  Options() {}

  std::vector<asyncio::http::URL> seeds;
  int depth = 3;             // links from a seed
  std::size_t pages = 1000;  // that are fetched at most
  std::size_t concurrency = 20;
  std::size_t per_host = 2;  // requests at once
  Seconds delay{0};          // between requests to one host
  int retries = 3;
  Seconds backoff{0.5};  // before the first retry, twice as long before each other
  Seconds timeout{30};   // of an attempt
  std::size_t max_bytes = 4'000'000;
  bool any_host = false;
  bool robots = true;
  std::string user_agent = "asyncio-crawler";
  std::string state;   // a file; empty for none
  std::string output;  // a file; empty for stdout
  bool quiet = false;
};

/// Reads the command line into `options`.
/// Returns: an exit status if the program is to end with it: after --help, or an error that was
/// printed.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace crawler
