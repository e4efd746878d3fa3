// SPDX-License-Identifier: BSL-1.0
/// What the command line says.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace webservice {

using Seconds = std::chrono::duration<double>;

class Options {
 public:
  Options() {}

  std::string host = "127.0.0.1";
  std::uint16_t port = 3000;
  std::string folder;       // of the static pages
  std::string certificate;  // with it, https; a file, as its key is
  std::string key;
  Seconds work{0.1};  // what the slow answer takes
  Seconds ttl{30};    // how long an answer is kept
  Seconds clean{60};  // how often the cache is cleaned
  Seconds heartbeat{20};
  Seconds grace{10};  // how long requests may go on at the end
  bool quiet = false;
  std::vector<std::string> command;  // all of them, as they were given
};

/// Reads the command line into `options`.
/// Returns: an exit status if the program is to end with it: after --help, or an error that was
/// printed.
std::optional<int> parse(int argc, char** argv, Options& options);

}  // namespace webservice
