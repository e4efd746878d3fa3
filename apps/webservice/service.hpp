// SPDX-License-Identifier: BSL-1.0
/// The service: its parts, and where they can be reached.
#pragma once

#include "webservice/cache.hpp"
#include "webservice/metrics.hpp"
#include "webservice/notes.hpp"
#include "webservice/options.hpp"
#include "webservice/room.hpp"
#include <asyncio/task.hpp>
#include <asyncio/web/application.hpp>

#include <optional>

namespace webservice {

/// Lives longer than the applications that it makes.
class Service {
 public:
  explicit Service(Options options);
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  asyncio::web::Application application();
  /// Ends what would not end by itself, and says so to who asks for its health; but not if it is
  /// replaced: the service goes on.
  void stop(bool is_replaced);

 private:
  void add_pages(asyncio::web::Application& app);
  void add_cleaner(asyncio::web::Application& app);
  asyncio::Coro<asyncio::web::Response> work(std::string name);
  asyncio::web::Response health() const;
  asyncio::web::Response metrics() const;

  Options options_;
  Notes notes_;
  Cache cache_;
  Room room_;
  RequestMetrics requests_{"webservice"};
  std::optional<asyncio::Task<>> cleaner_;
  bool stopping_ = false;
};

/// Serves it until SIGINT or SIGTERM, or until the successor listens that SIGUSR2 asks for.
/// Throws: OSError if it cannot listen; ValueError for a LISTEN_FDS that is no stream socket.
asyncio::Coro<> serve(Options options);

}  // namespace webservice
