// SPDX-License-Identifier: BSL-1.0
#include "asyncio/eventloop.hpp"
#include "asyncio/logging.hpp"
#include "http/server_connection.hpp"

#include <exception>
#include <string>

namespace asyncio::http::detail {

void ServerConnection::log_access(const web::Request& request, TimePoint began) const {
  try {
    settings_.access_log(
        web::AccessRecord(request, status_, body_sent_, get_running_loop().time() - began));
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("The access log has failed: ") + error.what());
  }
}

/// Of a request without a whole head nothing is known: aiohttp's words for it.
void ServerConnection::log_refusal() {
  RequestHead unknown;
  unknown.method = Method("UNKNOWN");
  unknown.target = "/";
  unknown.version = Version::http_1_0;
  web::Request request(has_head_ ? parser_.head() : unknown, *this);
  log_access(request, get_running_loop().time());
}

}  // namespace asyncio::http::detail
