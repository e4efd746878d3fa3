// SPDX-License-Identifier: BSL-1.0
/// How the server is run.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace vectordb {

class ServeOptions {
 public:
  ServeOptions() {}

  std::string host = "127.0.0.1";
  std::uint16_t port = 8000;
  std::string folder;   // of the data
  std::string api_key;  // empty: everybody may
  std::size_t max_body_bytes = std::size_t{32} << 20;
  std::size_t threads = 0;  // for reads; as many as processors
  std::chrono::duration<double> grace{10};
  bool quiet = false;                               // no line for each request
  std::chrono::duration<double> progress_every{1};  // in the log, while the data is read
};

}  // namespace vectordb
