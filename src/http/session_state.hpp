// SPDX-License-Identifier: BSL-1.0
/// What the requests of a session have in common, and how one is made.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/http/client.hpp"
#include "http/client_exchange.hpp"
#include "http/connector.hpp"
#include "http/environment_proxies.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

class SessionState {
 public:
  SessionState(EventLoop loop, SessionOptions given);
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;
  ~SessionState() { connector->close(); }

  /// What requests send that do not say otherwise.
  const Headers& default_fields(bool auto_decompress) const noexcept {
    return auto_decompress ? decoded_ : undecoded_;
  }

  SessionOptions options;
  std::optional<EnvironmentProxies> environment;
  CookieJar cookies;
  std::shared_ptr<Connector> connector;

 private:
  Headers decoded_, undecoded_;
};

/// "Basic ...".
/// Throws: ValueError for a ':' in the user's name.
std::string basic_credentials(std::string_view user, std::string_view password);
/// "Bearer ...".
std::string bearer_credentials(std::string_view token);

/// What the request needs a connection for.
ConnectionKey key_of(const ClientRequest& request);
ConnectionWish wish_of(const ClientRequest& request, bool fresh);

/// The URL on the session's base, if it is relative.
/// Throws: InvalidURL without a host.
URL absolute(const SessionState& session, URL url);

/// Everything but what depends on the URL.
/// Throws: ValueError for cookies that are none, and for CONNECT.
ClientRequest make_request(const SessionState& session, Method method,
                           const RequestOptions& options);

/// That: the target, Host, Cookie and credentials.
void set_url(SessionState& session, ClientRequest& request, URL url, const RequestOptions& options);

/// Gives the request the session's hooks, and calls those of its start.
Traces begin_traces(const SessionState& session, ClientRequest& request, const URL& url);

/// Takes the cookies of a response.
void take_cookies(SessionState& session, const Headers& headers, const URL& from);

}  // namespace asyncio::http::detail
