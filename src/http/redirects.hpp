// SPDX-License-Identifier: BSL-1.0
/// Redirects, as the client follows them (RFC 9110, 15.4).
#pragma once

#include "asyncio/http/head.hpp"
#include "asyncio/http/url.hpp"
#include "http/client_request.hpp"

#include <optional>

namespace asyncio::http::detail {

/// Where the response sends the client; nothing if it is no redirect.
/// Throws: InvalidURL.
std::optional<URL> redirect_of(const ResponseHead& response, const URL& from);

/// A new place to ask; what was meant for the old one alone does not go there.
/// Throws: ClientPayloadError for a body that cannot be sent again.
void follow(ClientRequest& request, RequestOptions& options, Status status, const URL& to);

/// How many there have been.
/// Throws: TooManyRedirects for one more than the options allow.
void count_redirect(int& count, const RequestOptions& options, const URL& from, Status status);

}  // namespace asyncio::http::detail
