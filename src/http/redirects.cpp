// SPDX-License-Identifier: BSL-1.0
#include "http/redirects.hpp"

#include "asyncio/http/client_errors.hpp"

#include <string>

namespace asyncio::http::detail {

namespace {

bool becomes_get(Status status, const Method& method) {
  if (status == Status::SEE_OTHER) return method != Method::HEAD;
  return (status == Status::MOVED_PERMANENTLY || status == Status::FOUND) && method == Method::POST;
}

bool is_same_origin(const URL& a, const URL& b) { return a.origin() == b.origin(); }

}  // namespace

std::optional<URL> redirect_of(const ResponseHead& response, const URL& from) {
  const int code = response.status.code();
  if (code != 301 && code != 302 && code != 303 && code != 307 && code != 308) return std::nullopt;
  std::optional<std::string_view> location = response.headers.get("Location");
  if (!location) return std::nullopt;
  return from.join(URL::lenient(*location));
}

void follow(ClientRequest& request, RequestOptions& options, Status status, const URL& to) {
  Headers& headers = request.head.headers;
  if (becomes_get(status, request.head.method)) {
    request.head.method = Method::GET;
    request.head.body = BodyFraming();
    request.body.clear();
    request.source.reset();
    for (const char* name :
         {"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding"})
      headers.remove(name);
  }
  if (request.source && !request.source->repeatable())
    throw ClientPayloadError(std::string(request.url.str()) +
                             ": a redirect, but the body cannot be sent again");
  if (to.has_credentials()) headers.remove("Authorization");  // those of the URL are meant
  if (is_same_origin(to, request.url)) return;
  headers.remove("Authorization");
  headers.remove("Proxy-Authorization");
  request.own_cookies.clear();
  request.own_host.reset();
  options.cookies({});
}

void count_redirect(int& count, const RequestOptions& options, const URL& from, Status status) {
  if (count++ < options.get_max_redirects()) return;
  throw TooManyRedirects(std::string(from.str()) + ": more than " +
                             std::to_string(options.get_max_redirects()) + " redirects",
                         status);
}

}  // namespace asyncio::http::detail
