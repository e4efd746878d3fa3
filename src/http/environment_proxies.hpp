// SPDX-License-Identifier: BSL-1.0
/// The proxies that the environment names: EnvironmentProxies.
#pragma once

#include "asyncio/http/client_options.hpp"
#include "asyncio/http/url.hpp"

#include <map>
#include <optional>
#include <string>

namespace asyncio::http::detail {

/// What http_proxy, https_proxy, ws_proxy, wss_proxy, all_proxy and no_proxy say; a name in small
/// letters counts more than one in capitals, and hides it if it is empty. As Python's
/// urllib.request.getproxies() and proxy_bypass() read them; all_proxy and the networks of no_proxy
/// ("10.0.0.0/8") as curl does.
class EnvironmentProxies {
 public:
  /// As they are now.
  EnvironmentProxies();

  /// The proxy that a request goes through; nothing if it goes without.
  /// Throws: InvalidURL that names the variable, if that is no proxy.
  std::optional<Proxy> find(const URL& url) const;

 private:
  bool is_excepted(const URL& url) const;

  std::map<std::string, std::string, std::less<>> proxies_;  // by the name of the variable
  std::string exceptions_;
};

}  // namespace asyncio::http::detail
