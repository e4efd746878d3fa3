// SPDX-License-Identifier: BSL-1.0
/// Serving an application: AppRunner, TCPSite, run_app.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/server.hpp"
#include "asyncio/time.hpp"
#include "asyncio/web/application.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::web {

namespace detail {
class RunnerState;
}

/// How an application is served.
class RunnerOptions {
 public:
  RunnerOptions() {}

  /// How long a connection may be idle between requests; 75 seconds.
  RunnerOptions& keepalive_timeout(Delay limit) { return keepalive_timeout_ = limit, *this; }
  /// How long a request's head may take; 30 seconds.
  RunnerOptions& head_timeout(Delay limit) { return head_timeout_ = limit, *this; }
  /// How long the next part of a body may take, and a client to read a response; 60 seconds.
  RunnerOptions& progress_timeout(Delay limit) { return progress_timeout_ = limit, *this; }
  /// How long requests that are being answered may go on at the end; 60 seconds.
  RunnerOptions& shutdown_timeout(Delay limit) { return shutdown_timeout_ = limit, *this; }
  /// The largest body that Request::read takes; 1 MiB.
  RunnerOptions& client_max_size(std::size_t bytes) { return client_max_size_ = bytes, *this; }
  RunnerOptions& limits(const http::HttpLimits& limits) { return limits_ = limits, *this; }

  Delay get_keepalive_timeout() const noexcept { return keepalive_timeout_; }
  Delay get_head_timeout() const noexcept { return head_timeout_; }
  Delay get_progress_timeout() const noexcept { return progress_timeout_; }
  Delay get_shutdown_timeout() const noexcept { return shutdown_timeout_; }
  std::size_t get_client_max_size() const noexcept { return client_max_size_; }
  const http::HttpLimits& get_limits() const noexcept { return limits_; }

 private:
  Delay keepalive_timeout_ = std::chrono::seconds(75);
  Delay head_timeout_ = std::chrono::seconds(30);
  Delay progress_timeout_ = std::chrono::seconds(60);
  Delay shutdown_timeout_ = std::chrono::seconds(60);
  std::size_t client_max_size_ = std::size_t{1} << 20;
  http::HttpLimits limits_;
};

/// An application that is being served. A handle: copies name the same.
///
/// Thread   the loop's.
/// asyncio  aiohttp: web.AppRunner
class AppRunner {
 public:
  explicit AppRunner(Application app, RunnerOptions options = {});

  /// Calls what on_startup was given.
  Coro<> setup() const;
  /// Stops listening, lets what was asked be answered within the shutdown timeout, and calls what
  /// on_cleanup was given.
  Coro<> cleanup() const;
  /// Where its sites listen.
  std::vector<SocketAddress> addresses() const;

 private:
  friend class TCPSite;
  std::shared_ptr<detail::RunnerState> state_;
};

/// A place where an application can be reached.
///
/// asyncio  aiohttp: web.TCPSite
class TCPSite {
 public:
  /// Port 0 lets the system choose.
  TCPSite(AppRunner runner, std::string host = "", std::uint16_t port = 8080,
          ServerOptions options = {})
      : runner_(std::move(runner)),
        host_(std::move(host)),
        port_(port),
        options_(std::move(options)) {}

  /// Throws: RuntimeError before AppRunner::setup; OSError with the address that cannot be bound.
  Coro<> start() const;

 private:
  AppRunner runner_;
  std::string host_;
  std::uint16_t port_;
  ServerOptions options_;
};

}  // namespace asyncio::web
