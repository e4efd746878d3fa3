// SPDX-License-Identifier: BSL-1.0
/// What a client tells of its requests while they are under way: TraceConfig.
#pragma once

#include "asyncio/http/headers.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/status.hpp"
#include "asyncio/http/url.hpp"

#include <any>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace asyncio::http {

/// What a hook is told. Good during the call alone.
///
/// asyncio  aiohttp: TraceRequestStartParams and the others
class TraceParams {
 public:
  TraceParams(std::any& shared, const Method& request_method, const URL& request_url) noexcept
      : context(shared), method(request_method), url(request_url) {}

  /// For the hooks, which share it for one request: a time, say. Empty at the start.
  std::any& context;
  const Method& method;
  const URL& url;
  /// request_start, request_headers_sent: the request's. request_redirect, request_end: the
  /// response's. Else null.
  const Headers* headers = nullptr;
  /// request_redirect, request_end.
  std::optional<Status> status;
  /// request_exception.
  std::exception_ptr exception;
  /// request_chunk_sent, response_chunk_received: how many bytes, as they are on the wire but for
  /// the frames of chunks.
  std::size_t bytes = 0;
};

/// The moments of a request that have hooks.
enum class TraceEvent : std::uint8_t {
  request_start,
  request_redirect,
  request_end,
  request_exception,
  connection_queued_start,
  connection_queued_end,
  connection_create_start,
  connection_create_end,
  connection_reuseconn,
  request_headers_sent,
  request_chunk_sent,
  response_chunk_received,
  count
};

/// Functions that are called in the course of each request of a session, that of a WebSocket
/// among them. What one throws ends the request with that. A session without any pays nothing for
/// them.
///
///     http::TraceConfig trace;
///     trace.on_request_start([](const http::TraceParams& params) { params.context = now(); })
///         .on_request_end([](const http::TraceParams& params) { log(params.url, *params.status);
///         });
///     http::ClientSession session(http::SessionOptions().trace(trace));
///
/// asyncio  aiohttp: TraceConfig
class TraceConfig {
 public:
  using Hook = std::function<void(const TraceParams&)>;

  TraceConfig() {}

  TraceConfig& on_request_start(Hook hook) {
    return set(TraceEvent::request_start, std::move(hook));
  }
  TraceConfig& on_request_redirect(Hook hook) {
    return set(TraceEvent::request_redirect, std::move(hook));
  }
  /// The head of the response is there, the last one.
  TraceConfig& on_request_end(Hook hook) { return set(TraceEvent::request_end, std::move(hook)); }
  /// Instead of request_end.
  TraceConfig& on_request_exception(Hook hook) {
    return set(TraceEvent::request_exception, std::move(hook));
  }
  /// The limits of the session do not allow a connection yet.
  TraceConfig& on_connection_queued_start(Hook hook) {
    return set(TraceEvent::connection_queued_start, std::move(hook));
  }
  TraceConfig& on_connection_queued_end(Hook hook) {
    return set(TraceEvent::connection_queued_end, std::move(hook));
  }
  TraceConfig& on_connection_create_start(Hook hook) {
    return set(TraceEvent::connection_create_start, std::move(hook));
  }
  TraceConfig& on_connection_create_end(Hook hook) {
    return set(TraceEvent::connection_create_end, std::move(hook));
  }
  TraceConfig& on_connection_reuseconn(Hook hook) {
    return set(TraceEvent::connection_reuseconn, std::move(hook));
  }
  TraceConfig& on_request_headers_sent(Hook hook) {
    return set(TraceEvent::request_headers_sent, std::move(hook));
  }
  TraceConfig& on_request_chunk_sent(Hook hook) {
    return set(TraceEvent::request_chunk_sent, std::move(hook));
  }
  TraceConfig& on_response_chunk_received(Hook hook) {
    return set(TraceEvent::response_chunk_received, std::move(hook));
  }

  const Hook& get(TraceEvent event) const noexcept {
    return hooks_[static_cast<std::size_t>(event)];
  }

 private:
  TraceConfig& set(TraceEvent event, Hook hook) {
    return hooks_[static_cast<std::size_t>(event)] = std::move(hook), *this;
  }

  std::array<Hook, static_cast<std::size_t>(TraceEvent::count)> hooks_;
};

}  // namespace asyncio::http
