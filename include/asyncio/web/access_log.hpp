// SPDX-License-Identifier: BSL-1.0
/// What a server says of each request: aiohttp's access log.
#pragma once

#include "asyncio/http/status.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace asyncio::web {

class Request;

/// A request that was answered, as far as it was; its status is 499 if there was no answer, as the
/// client had gone.
class AccessRecord {
 public:
  AccessRecord(const Request& request, http::Status status, std::uint64_t bytes,
               std::chrono::nanoseconds took) noexcept
      : request_(request), status_(status), bytes_(bytes), took_(took) {}

  const Request& request() const noexcept { return request_; }
  http::Status status() const noexcept { return status_; }
  /// Of the response's body: what the system has taken of it, if the client has gone. (Of a body
  /// that it took last in large pieces, the last piece may be missing.)
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::chrono::nanoseconds took() const noexcept { return took_; }

 private:
  const Request& request_;
  http::Status status_;
  std::uint64_t bytes_;
  std::chrono::nanoseconds took_;
};

/// Called once for each request, when its answer has been written, or cannot be. It gets what the
/// client sent as it was: whoever writes it down escapes it.
using AccessLogger = std::function<void(const AccessRecord&)>;

/// aiohttp's, as Apache's combined format.
inline constexpr std::string_view kAccessLogFormat =
    R"(%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i")";

/// A logger that gives one line for each request to asyncio's log. In the format stand for
///   %%  a percent sign       %a  the client's address      %t  when the request began
///   %P  the process          %r  the request line          %s  the status
///   %b  bytes of the body    %T  seconds, %Tf with a fraction, %D in microseconds
///   %{NAME}i  a header of the request; "-" if there is none
/// Of what the client sent, quotes, backslashes, control characters and all that is not ASCII are
/// escaped: a line is a line.
///
/// Throws   ValueError for a format with anything else.
/// asyncio  aiohttp: access_log_format
AccessLogger access_logger(std::string_view format = kAccessLogFormat);

}  // namespace asyncio::web
