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
  SessionState(EventLoop loop, SessionOptions given)
      : options(std::move(given)),
        connector(std::make_shared<Connector>(std::move(loop), options)) {
    if (options.get_trust_env() && !options.get_proxy()) environment.emplace();
  }
  SessionState(const SessionState&) = delete;
  SessionState& operator=(const SessionState&) = delete;
  ~SessionState() { connector->close(); }

  SessionOptions options;
  std::optional<EnvironmentProxies> environment;
  CookieJar cookies;
  std::shared_ptr<Connector> connector;
};

/// "Basic ...".
/// Throws: ValueError for a ':' in the user's name.
std::string basic_credentials(std::string_view user, std::string_view password);

/// What the request needs a connection for.
ConnectionKey key_of(const ClientRequest& request);
ConnectionWish wish_of(const ClientRequest& request, bool fresh);

/// The URL on the session's base, if it is relative.
/// Throws: InvalidURL without a host.
URL absolute(const SessionState& session, URL url);

/// Everything but what depends on the URL.
/// Throws: ValueError for cookies that are none.
ClientRequest make_request(const SessionState& session, Method method,
                           const RequestOptions& options);

/// That: the target, Host, Cookie and credentials.
void set_url(SessionState& session, ClientRequest& request, const URL& url,
             const RequestOptions& options);

/// Takes the cookies of a response.
void take_cookies(SessionState& session, const Headers& headers, const URL& from);

}  // namespace asyncio::http::detail
