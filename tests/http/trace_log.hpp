// SPDX-License-Identifier: BSL-1.0
/// What the hooks of requests are told.
#pragma once

#include "asyncio/http/tracing.hpp"

#include <any>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// The moments of requests, in words.
class TraceLog {
 public:
  TraceLog() = default;
  /// Of the requests for that path only.
  explicit TraceLog(std::string path) : path_(std::move(path)) {}

  asyncio::http::TraceConfig config() {
    using asyncio::http::TraceParams;
    return asyncio::http::TraceConfig()
        .on_request_start([this](const TraceParams& params) {
          params.context = std::string(params.url.raw_path());
          add(params, "start " + std::string(params.url.raw_path()));
        })
        .on_request_redirect(note("redirect"))
        .on_request_end([this](const TraceParams& params) {
          add(params, "end " + std::any_cast<std::string>(params.context) + " " +
                          std::to_string(params.status->code()));
        })
        .on_request_exception(note("exception"))
        .on_connection_queued_start(note("queued"))
        .on_connection_queued_end(note("had its turn"))
        .on_connection_create_start(note("create"))
        .on_connection_create_end(note("created"))
        .on_connection_reuseconn(note("reuse"))
        .on_request_headers_sent(note("headers"))
        .on_request_chunk_sent(note("sent"))
        .on_response_chunk_received(note("received"));
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
  std::vector<std::string> lines;

 private:
  asyncio::http::TraceConfig::Hook note(std::string what) {
    return [this, what = std::move(what)](const asyncio::http::TraceParams& params) {
      add(params, what + (params.status ? " " + std::to_string(params.status->code()) : "") +
                      (params.bytes > 0 ? " " + std::to_string(params.bytes) : ""));
    };
  }
  void add(const asyncio::http::TraceParams& params, std::string line) {
    if (path_.empty() || params.url.raw_path() == path_) lines.push_back(std::move(line));
  }

  std::string path_;
};

}  // namespace test
