// SPDX-License-Identifier: BSL-1.0
/// What a client of HTTP throws: aiohttp's exceptions.
#pragma once

#include "asyncio/exceptions.hpp"

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
