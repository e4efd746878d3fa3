// SPDX-License-Identifier: BSL-1.0
/// What a client sends: ClientRequest.
#pragma once

#include "asyncio/http/client_options.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/time.hpp"
#include "http/body_source.hpp"
#include "http/fields.hpp"
#include "http/request_traces.hpp"

#include <memory>
#include <optional>
#include <string>

namespace asyncio::http::detail {

class ClientRequest {
 public:
  ClientRequest() {}

  /// What Host says if `at` is asked.
  std::string host(const URL& at) const {
    return own_host ? *own_host : std::string(at.host_port());
  }

  RequestHead head;
  std::optional<HeadFields> fields;  // the head's, once that is checked
  URL url;
  std::string body;
  std::shared_ptr<BodySource> source;  // instead of the body
  std::string own_cookies;             // what the caller has set as Cookie
  std::optional<std::string> own_host;
  bool has_session_credentials = false;  // its Authorization is the session's
  std::optional<Proxy> proxy;
  std::optional<TlsContext> ssl;
  ClientTimeout timeout;
  std::optional<TimePoint> deadline;  // of it all
  bool auto_decompress = true;
  bool allow_repeats = true;
  Traces traces;
};

}  // namespace asyncio::http::detail
