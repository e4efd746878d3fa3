// SPDX-License-Identifier: BSL-1.0
/// The server: its parts, and how it begins and ends.
#pragma once

#include "vectordb/server/access.hpp"
#include "vectordb/server/options.hpp"
#include "webservice/metrics.hpp"
#include <asyncio/web/runner.hpp>

#include <functional>

namespace vectordb {

/// Lives longer than the applications that it makes.
class Service {
 public:
  explicit Service(ServeOptions options) : options_(std::move(options)) {}
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  asyncio::web::Application application();
  asyncio::web::RunnerOptions runner_options() const;

  /// Reads the data; requests are answered with 503 until then. Calls `begun` once the folder is
  /// this server's.
  ///
  /// Throws   StorageError, CorruptionError.
  asyncio::Coro<> open(std::function<void()> begun = {});
  /// Who asks for its health is told that it is no longer ready.
  void stop() noexcept { stopping_ = true; }
  asyncio::Coro<> close();

 private:
  void add_health(asyncio::web::Application& app);
  asyncio::web::Response ready() const;
  asyncio::web::Response metrics();

  ServeOptions options_;
  Access access_;
  webservice::RequestMetrics requests_{"vectordb"};
  bool stopping_ = false;
};

/// Serves until SIGINT or SIGTERM.
///
/// Throws   OSError if it cannot listen; StorageError, CorruptionError if the data cannot be read.
asyncio::Coro<> serve(ServeOptions options);

}  // namespace vectordb
