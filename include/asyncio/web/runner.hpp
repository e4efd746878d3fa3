// SPDX-License-Identifier: BSL-1.0
/// Serving an application: AppRunner, TCPSite, SockSite, run_app.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/server.hpp"
#include "asyncio/time.hpp"
#include "asyncio/web/access_log.hpp"
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
  /// How long the next part of a body may take, and a client to read some more of a response; 60
  /// seconds.
  RunnerOptions& progress_timeout(Delay limit) { return progress_timeout_ = limit, *this; }
  /// How fast a body has to come, on the whole, once the progress timeout is over: in bytes a
  /// second; 240. With 0 a client may take as long as it likes, if it sends something now and then.
  RunnerOptions& min_body_rate(std::size_t bytes) { return min_body_rate_ = bytes, *this; }
  /// How many requests a connection may bring; 0, the default, is any number.
  RunnerOptions& keepalive_requests(std::size_t count) {
    return keepalive_requests_ = count, *this;
  }
  /// How many connections there may be at a time; those beyond get a 503. 0, the default, is as
  /// many as the system allows.
  RunnerOptions& max_connections(std::size_t count) { return max_connections_ = count, *this; }
  /// How long requests that are being answered may go on at the end; 60 seconds.
  RunnerOptions& shutdown_timeout(Delay limit) { return shutdown_timeout_ = limit, *this; }
  /// What is told of each request; nothing, the default, costs nothing. See access_logger.
  RunnerOptions& access_log(AccessLogger logger) { return access_log_ = std::move(logger), *this; }
  /// The largest body that Request::read takes; 1 MiB.
  RunnerOptions& client_max_size(std::size_t bytes) { return client_max_size_ = bytes, *this; }
  /// Whether clients may speak HTTP/2 without TLS, if they know that we do and begin with its
  /// preface; false. Over TLS it is spoken with those that agree upon "h2": see
  /// TlsContext::set_alpn_protocols.
  RunnerOptions& http2_prior_knowledge(bool on) { return http2_prior_knowledge_ = on, *this; }
  RunnerOptions& limits(const http::HttpLimits& limits) { return limits_ = limits, *this; }

  Delay get_keepalive_timeout() const noexcept { return keepalive_timeout_; }
  Delay get_head_timeout() const noexcept { return head_timeout_; }
  Delay get_progress_timeout() const noexcept { return progress_timeout_; }
  Delay get_shutdown_timeout() const noexcept { return shutdown_timeout_; }
  std::size_t get_min_body_rate() const noexcept { return min_body_rate_; }
  std::size_t get_keepalive_requests() const noexcept { return keepalive_requests_; }
  std::size_t get_max_connections() const noexcept { return max_connections_; }
  std::size_t get_client_max_size() const noexcept { return client_max_size_; }
  bool get_http2_prior_knowledge() const noexcept { return http2_prior_knowledge_; }
  const AccessLogger& get_access_log() const noexcept { return access_log_; }
  const http::HttpLimits& get_limits() const noexcept { return limits_; }

 private:
  Delay keepalive_timeout_ = std::chrono::seconds(75);
  Delay head_timeout_ = std::chrono::seconds(30);
  Delay progress_timeout_ = std::chrono::seconds(60);
  Delay shutdown_timeout_ = std::chrono::seconds(60);
  std::size_t min_body_rate_ = 240;
  std::size_t keepalive_requests_ = 0;
  std::size_t max_connections_ = 0;
  std::size_t client_max_size_ = std::size_t{1} << 20;
  bool http2_prior_knowledge_ = false;
  AccessLogger access_log_;
  http::HttpLimits limits_;
};

/// An application that is being served. A handle: copies name the same.
///
/// Thread   the loop's.
/// asyncio  aiohttp: web.AppRunner
class AppRunner {
 public:
  /// Throws   RuntimeError for http2_prior_knowledge if the library is built without HTTP/2.
  explicit AppRunner(Application app, RunnerOptions options = {});

  /// Calls what on_startup was given.
  Coro<> setup() const;
  /// Stops listening, lets what was asked be answered within the shutdown timeout, and calls what
  /// on_cleanup was given.
  Coro<> cleanup() const;
  /// Where its sites listen.
  std::vector<SocketAddress> addresses() const;
  /// What its sites listen on: for who hands the sockets on to a successor.
  std::vector<ListeningSocket> sockets() const;

 private:
  friend class TCPSite;
  friend class SockSite;
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

  /// Throws   RuntimeError before AppRunner::setup; OSError with the address that cannot be bound.
  Coro<> start() const;

 private:
  AppRunner runner_;
  std::string host_;
  std::uint16_t port_;
  ServerOptions options_;
};

/// The same on a bound socket that somebody else made, as systemd for its units: `start` takes it
/// as start_server does. Of the options those of addresses mean nothing here.
///
/// asyncio  aiohttp: web.SockSite
class SockSite {
 public:
  SockSite(AppRunner runner, int sock, ServerOptions options = {})
      : runner_(std::move(runner)), sock_(sock), options_(std::move(options)) {}

  /// Throws   RuntimeError before AppRunner::setup; ValueError unless it is a stream socket;
  ///          OSError for what cannot listen.
  Coro<> start() const;

 private:
  AppRunner runner_;
  int sock_;
  ServerOptions options_;
};

/// Serves an application until SIGINT (Ctrl-C) or SIGTERM: then stops listening, answers what was
/// asked, within RunnerOptions::shutdown_timeout, and cleans up. A second signal ends the process.
/// Says on standard output where it listens. An empty host is every interface. `site` is for TLS
/// (`ServerOptions().ssl(context)`, aiohttp's ssl_context), reuse_port, and the backlog.
///
/// Awaits   the signal, and the end of the service.
/// Throws   what Application::startup throws; OSError with the address that cannot be bound.
/// Cancel   as a signal.
/// Thread   the main one's loop.
/// asyncio  aiohttp: web.run_app
Coro<> serve_app(Application app, std::string host = "0.0.0.0", std::uint16_t port = 8080,
                 RunnerOptions options = {}, ServerOptions site = {});

/// The same for `int main`: on a loop of its own.
///
/// Returns  the exit status; an error is printed and gives 1.
/// asyncio  aiohttp: web.run_app
int run_app(Application app, std::string host = "0.0.0.0", std::uint16_t port = 8080,
            RunnerOptions options = {}, ServerOptions site = {});

}  // namespace asyncio::web
