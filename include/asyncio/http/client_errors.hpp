// SPDX-License-Identifier: BSL-1.0
/// What a client of HTTP throws: aiohttp's exceptions.
#pragma once

#include "asyncio/exceptions.hpp"
#include "asyncio/http/errors.hpp"
#include "asyncio/http/status.hpp"

#include <exception>
#include <string>
#include <utility>

namespace asyncio::http {

/// The root of all that a client throws. It stands beside the standard exception that the error
/// is as well: a timeout is a ClientError and an asyncio::TimeoutError.
class ClientError {
 public:
  virtual ~ClientError();
  virtual const char* what() const noexcept = 0;

 protected:
  ClientError() = default;
  ClientError(const ClientError&) = default;
  ClientError& operator=(const ClientError&) = default;
};

namespace detail {

/// A client's error that is a `Standard` one, too.
template <class Standard>
class ClientErrorAs : public Standard, public ClientError {
 public:
  using Standard::Standard;
  const char* what() const noexcept override { return Standard::what(); }
};

}  // namespace detail

/// A text that is no URL, or one that cannot be used for what was asked: it says which and where.
class InvalidURL : public detail::ClientErrorAs<ValueError> {
 public:
  using ClientErrorAs::ClientErrorAs;
};

/// The connection could not be made or was lost: with the system's error.
class ClientOSError : public detail::ClientErrorAs<OSError> {
 public:
  using ClientErrorAs::ClientErrorAs;
};

/// The host cannot be reached or found, or its certificate is not its own. `cause()` is what
/// open_connection threw.
class ClientConnectorError : public detail::ClientErrorAs<RuntimeError> {
 public:
  ClientConnectorError(const std::string& message, std::exception_ptr cause)
      : ClientErrorAs(message), cause_(std::move(cause)) {}

  const std::exception_ptr& cause() const noexcept { return cause_; }

 private:
  std::exception_ptr cause_;
};

/// The proxy cannot be reached: a ClientConnectorError of the proxy.
class ClientProxyConnectionError final : public ClientConnectorError {
 public:
  using ClientConnectorError::ClientConnectorError;
};

/// The server closed the connection before it answered: no byte of a response came.
class ServerDisconnectedError : public detail::ClientErrorAs<RuntimeError> {
 public:
  using ClientErrorAs::ClientErrorAs;
};

/// What the server answered is no HTTP, or its head is beyond a limit. A ProtocolError, too.
///
/// asyncio  aiohttp: ClientResponseError with the status 400
class ClientProtocolError final : public detail::ClientErrorAs<ProtocolError> {
 public:
  using ClientErrorAs::ClientErrorAs;
};

/// A time limit of ClientTimeout has passed; an asyncio::TimeoutError, too.
class ServerTimeoutError : public detail::ClientErrorAs<TimeoutError> {
 public:
  explicit ServerTimeoutError(const std::string& operation) : ClientErrorAs(operation) {}
};

/// The answer is not what was asked for: a status that raise_for_status refuses, too many
/// redirects, another content type.
class ClientResponseError : public detail::ClientErrorAs<RuntimeError> {
 public:
  ClientResponseError(const std::string& message, Status status)
      : ClientErrorAs(message), status_(status) {}

  Status status() const noexcept { return status_; }

 private:
  Status status_;
};

/// The proxy did not agree to a tunnel to the server; `status()` is the proxy's, 407 if it wants
/// other credentials.
class ClientHttpProxyError final : public ClientResponseError {
 public:
  using ClientResponseError::ClientResponseError;
};

/// The server did not agree to a WebSocket.
class WSServerHandshakeError final : public ClientResponseError {
 public:
  using ClientResponseError::ClientResponseError;
};

/// The body is not of the type that it was to be read as.
class ContentTypeError final : public ClientResponseError {
 public:
  using ClientResponseError::ClientResponseError;
};

class TooManyRedirects final : public ClientResponseError {
 public:
  using ClientResponseError::ClientResponseError;
};

/// The body is not what its headers say: it ended too early, or is no gzip.
class ClientPayloadError : public detail::ClientErrorAs<RuntimeError> {
 public:
  using ClientErrorAs::ClientErrorAs;
};

/// The body cannot be decompressed, or would become too much.
class ContentEncodingError : public ClientPayloadError {
 public:
  using ClientPayloadError::ClientPayloadError;
};

}  // namespace asyncio::http
