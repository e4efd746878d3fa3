// SPDX-License-Identifier: BSL-1.0
/// Responses that are thrown: aiohttp's web exceptions.
#pragma once

#include "asyncio/web/response.hpp"

#include <stdexcept>
#include <string>
#include <utility>

namespace asyncio::web {

/// A handler throws it to answer with its response.
class HTTPException : public std::runtime_error {
 public:
  /// Without a text the body is "404: Not Found".
  explicit HTTPException(http::Status status, std::string text = {});
  ~HTTPException() override;

  http::Status status() const noexcept { return response_.get_status(); }
  http::Headers& headers() noexcept { return response_.headers(); }
  const Response& response() const noexcept { return response_; }

 protected:
  /// Throws   ValueError for control bytes.
  void set_location(std::string_view location);

 private:
  Response response_;
};

template <int Code>
class HTTPError final : public HTTPException {
 public:
  explicit HTTPError(std::string text = {}) : HTTPException(Code, std::move(text)) {}
};

template <int Code>
class HTTPMove final : public HTTPException {
 public:
  /// What cannot stand in a URL is percent-encoded; what is encoded already stays.
  ///
  /// Throws   ValueError for a location that cannot stand in a header.
  explicit HTTPMove(std::string_view location) : HTTPException(Code) { set_location(location); }
};

using HTTPMovedPermanently = HTTPMove<301>;
using HTTPFound = HTTPMove<302>;
using HTTPSeeOther = HTTPMove<303>;
using HTTPTemporaryRedirect = HTTPMove<307>;
using HTTPPermanentRedirect = HTTPMove<308>;
using HTTPBadRequest = HTTPError<400>;
using HTTPUnauthorized = HTTPError<401>;
using HTTPForbidden = HTTPError<403>;
using HTTPNotFound = HTTPError<404>;
using HTTPNotAcceptable = HTTPError<406>;
using HTTPRequestTimeout = HTTPError<408>;
using HTTPConflict = HTTPError<409>;
using HTTPGone = HTTPError<410>;
using HTTPPreconditionFailed = HTTPError<412>;
using HTTPRequestEntityTooLarge = HTTPError<413>;
using HTTPUnsupportedMediaType = HTTPError<415>;
using HTTPUnprocessableEntity = HTTPError<422>;
using HTTPTooManyRequests = HTTPError<429>;
using HTTPInternalServerError = HTTPError<500>;
using HTTPNotImplemented = HTTPError<501>;
using HTTPBadGateway = HTTPError<502>;
using HTTPServiceUnavailable = HTTPError<503>;

/// It says which methods there are.
class HTTPMethodNotAllowed final : public HTTPException {
 public:
  explicit HTTPMethodNotAllowed(std::string_view allowed) : HTTPException(405) {
    headers().set("Allow", allowed);
  }
};

}  // namespace asyncio::web
