// SPDX-License-Identifier: BSL-1.0
/// What stands at the front of a message: RequestHead and ResponseHead, and the Version and the
/// BodyFraming that they hold.
#pragma once

#include "asyncio/http/headers.hpp"
#include "asyncio/http/method.hpp"
#include "asyncio/http/status.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <utility>

namespace asyncio::http {

/// A version of HTTP.
///
/// asyncio  aiohttp: HttpVersion
class Version {
 public:
  static const Version http_1_0, http_1_1, http_2;

  constexpr Version(int major_number, int minor_number) noexcept
      : major_(static_cast<std::uint8_t>(major_number)),
        minor_(static_cast<std::uint8_t>(minor_number)) {}

  constexpr int major_number() const noexcept { return major_; }
  constexpr int minor_number() const noexcept { return minor_; }
  constexpr auto operator<=>(const Version&) const noexcept = default;

 private:
  std::uint8_t major_;
  std::uint8_t minor_;
};

inline constexpr Version Version::http_1_0{1, 0};
inline constexpr Version Version::http_1_1{1, 1};
inline constexpr Version Version::http_2{2, 0};

/// How the end of a message's body is known.
class BodyFraming {
 public:
  enum class Kind : std::uint8_t {
    none,         // there is no body
    length,       // `length()` bytes; there may be none
    chunked,      // it comes in chunks, and may have trailers
    until_close,  // it ends with the connection; responses only
  };

  constexpr BodyFraming() noexcept = default;
  static constexpr BodyFraming of_length(std::uint64_t bytes) noexcept {
    return {Kind::length, bytes};
  }
  static constexpr BodyFraming chunked() noexcept { return {Kind::chunked, 0}; }
  static constexpr BodyFraming until_close() noexcept { return {Kind::until_close, 0}; }

  constexpr Kind kind() const noexcept { return kind_; }
  /// Of the kind `length`; else 0.
  constexpr std::uint64_t length() const noexcept { return length_; }
  constexpr bool operator==(const BodyFraming&) const noexcept = default;

 private:
  constexpr BodyFraming(Kind kind, std::uint64_t length) noexcept : length_(length), kind_(kind) {}

  std::uint64_t length_ = 0;
  Kind kind_ = Kind::none;
};

/// The head of a request.
///
/// asyncio  aiohttp: RawRequestMessage
class RequestHead {
 public:
  RequestHead() noexcept {}
  RequestHead(Method wanted, std::string target_text, Headers fields = {})
      : method(wanted), target(std::move(target_text)), headers(std::move(fields)) {}

  Method method = Method::GET;
  /// As it stands in the request: "/path?query", "http://host/path", "host:port" or "*".
  std::string target = "/";
  Version version = Version::http_1_1;
  Headers headers;
  BodyFraming body;
  /// Whether another request may follow on the connection.
  bool keep_alive = true;
  /// Whether the client offers to go on in another protocol: `Connection: upgrade`, and Upgrade
  /// names which.
  bool upgrade = false;
};

/// The head of a response.
///
/// asyncio  aiohttp: RawResponseMessage
class ResponseHead {
 public:
  ResponseHead() noexcept {}
  explicit ResponseHead(Status code, Headers fields = {})
      : status(code), reason(code.phrase()), headers(std::move(fields)) {}

  Status status = Status::OK;
  /// What stands after the status; may be empty.
  std::string reason = "OK";
  Version version = Version::http_1_1;
  Headers headers;
  BodyFraming body;
  /// Whether another response may follow on the connection.
  bool keep_alive = true;
  /// Whether the connection goes on in another protocol: after 101, and after a CONNECT that
  /// succeeded.
  bool upgrade = false;
};

}  // namespace asyncio::http
