// SPDX-License-Identifier: BSL-1.0
// Proxies that the environment names, and those that are reached over TLS.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "http/environment_proxies.hpp"
#include "raw_server.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using asyncio::testing::run_simulated;
using http::ClientSession;
using http::Proxy;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using http::detail::EnvironmentProxies;
using test::error_of;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::say_target;
using test::target_of;
using test::text_of;

namespace {

using Variables = std::vector<std::pair<std::string, std::string>>;

Variables proxy_variables(std::string name, std::string proxy, std::string exceptions) {
  return {{std::move(name), std::move(proxy)}, {"no_proxy", std::move(exceptions)}};
}

/// The environment with these variables, and without others of their kind, as long as it lives.
class Environment {
 public:
  explicit Environment(const Variables& variables) {
    clear();
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { clear(); }

 private:
  static void clear() {
    for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ws_proxy",
                             "WS_PROXY", "wss_proxy", "WSS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY", "REQUEST_METHOD"})
      ::unsetenv(name);
  }
};

/// "-" for none.
std::string proxy_for(const Variables& variables, const char* url) {
  Environment environment(variables);
  auto found = EnvironmentProxies().find(URL(url));
  return found ? std::string(found->url().str()) + found->authorization() : "-";
}

struct ProxyCase {
  Variables variables;
  const char* url;
  const char* proxy;
};

TEST(ClientProxies, S42_which_variable_names_the_proxy) {
  const std::vector<ProxyCase> cases{
      {{}, "http://h/", "-"},
      {{{"http_proxy", "http://p:1"}}, "http://h/", "http://p:1/"},
      {{{"http_proxy", "http://p:1"}}, "https://h/", "-"},
      {{{"https_proxy", "http://p:1"}}, "https://h/", "http://p:1/"},
      {{{"HTTPS_PROXY", "http://p:1"}}, "https://h/", "http://p:1/"},
      {{{"HTTPS_PROXY", "http://p:1"}, {"https_proxy", "http://q:2"}}, "https://h/", "http://q:2/"},
      {{{"HTTPS_PROXY", "http://p:1"}, {"https_proxy", ""}}, "https://h/", "-"},
      {{{"http_proxy", "p:1"}}, "http://h/", "http://p:1/"},
      {{{"http_proxy", "https://p:1"}}, "http://h/", "https://p:1/"},
      {{{"http_proxy", "http://a:b@p:1"}}, "http://h/", "http://p:1/Basic YTpi"},
      {{{"all_proxy", "http://p:1"}}, "https://h/", "http://p:1/"},
      {{{"all_proxy", "http://p:1"}, {"http_proxy", "http://q:2"}}, "http://h/", "http://q:2/"},
      {{{"ws_proxy", "http://p:1"}, {"http_proxy", "http://q:2"}}, "ws://h/", "http://p:1/"},
      {{{"https_proxy", "http://q:2"}}, "wss://h/", "http://q:2/"},
      // A CGI program's HTTP_PROXY is the client's field "Proxy".
      {{{"HTTP_PROXY", "http://p:1"}, {"REQUEST_METHOD", "GET"}}, "http://h/", "-"},
      {{{"http_proxy", "http://p:1"}, {"REQUEST_METHOD", "GET"}}, "http://h/", "http://p:1/"},
  };
  for (const ProxyCase& each : cases)
    EXPECT_EQ(proxy_for(each.variables, each.url), each.proxy)
        << each.url << ::testing::PrintToString(each.variables);
}

TEST(ClientProxies, S42_which_hosts_no_proxy_excepts) {
  const std::vector<std::pair<const char*, std::pair<const char*, bool>>> cases{
      {"", {"http://h/", false}},
      {"*", {"http://h/", true}},
      {"h", {"http://h/", true}},
      {"H", {"http://h/", true}},
      {" x , h ", {"http://h:81/", true}},
      {"example.org", {"http://www.example.org/", true}},
      {".example.org", {"http://www.example.org/", true}},
      {".example.org", {"http://example.org/", true}},
      {"example.org", {"http://notexample.org/", false}},
      {"example.org", {"http://example.org.evil/", false}},
      {"h:81", {"http://h:81/", true}},
      {"h:81", {"http://h/", false}},
      {"h:80", {"http://h/", true}},
      {"10.0.0.0/8", {"http://10.200.3.4/", true}},
      {"10.0.0.0/8", {"http://11.0.0.1/", false}},
      {"192.168.128.0/17", {"http://192.168.127.1/", false}},
      {"192.168.128.0/17", {"http://192.168.200.1/", true}},
      {"10.0.0.0/33", {"http://10.0.0.1/", false}},
      {"10.0.0.0/", {"http://10.0.0.0/", false}},
      {"0.0.0.0/0", {"http://10.0.0.1/", true}},
      {"0.0.0.0/0", {"http://h/", false}},
      {"fd00::/8", {"http://[fd12::1]/", true}},
      {"fd00::/8", {"http://[fe80::1]/", false}},
      {"::1", {"http://[::1]/", true}},
      {"[::1]", {"http://[::1]/", true}},
      {"[::1]:81", {"http://[::1]/", false}},
      {"[::1]:80", {"http://[::1]/", true}},
      {",.,", {"http://h/", false}},
  };
  for (const auto& [exceptions, expected] : cases) {
    const Variables variables{{"all_proxy", "http://p:1"}, {"no_proxy", exceptions}};
    EXPECT_EQ(proxy_for(variables, expected.first), expected.second ? "-" : "http://p:1/")
        << exceptions << " " << expected.first;
  }
}

TEST(ClientProxies, R10_a_variable_that_is_no_proxy_is_named) {
  run_simulated([]() -> Coro<> {
    Environment environment(proxy_variables("all_proxy", "socks5://user:secret@h:1", ""));
    ClientSession session(SessionOptions().trust_env(true));
    std::string error = co_await error_of(session.get("http://far.example/"));
    EXPECT_NE(error.find("all_proxy of the environment"), std::string::npos) << error;
    EXPECT_EQ(error.find("secret"), std::string::npos) << error;
    session.close();
  });
}

/// Says what it was asked for, and where a redirect leads if that is asked for.
RawServer::Handler redirecting(std::string location) {
  return [location = std::move(location)](StreamReader reader, StreamWriter writer) -> Coro<> {
    for (;;) {
      std::string target = target_of(co_await read_request(reader));
      if (target.ends_with("/away"))
        co_await writer.send("HTTP/1.1 302 Go\r\nLocation: " + location +
                             "\r\nContent-Length: 0\r\n\r\n");
      else
        co_await writer.send(response_with("proxied " + target));
    }
  };
}

/// Each place that redirects lead to is looked at for itself, as in aiohttp.
TEST(ClientProxies, S42_the_environment_is_trusted_only_if_asked) {
  run_simulated([]() -> Coro<> {
    RawServer direct = co_await RawServer::start(say_target);
    RawServer proxy =
        co_await RawServer::start(redirecting(std::string(direct.url("/here").str())));
    std::string excepted = "127.0.0.1:" + std::to_string(direct.port());
    Environment environment(
        proxy_variables("http_proxy", std::string(proxy.url().str()), excepted));
    ClientSession session(SessionOptions().trust_env(true));
    std::string text = co_await text_of(session, "http://far.example/p");
    EXPECT_EQ(text, "proxied http://far.example/p");
    text = co_await text_of(session, "http://far.example/away");
    EXPECT_EQ(text, "/here");
    text = co_await text_of(session, direct.url("/x"));
    EXPECT_EQ(text, "/x");
    RequestOptions through;
    through.proxy(Proxy(proxy.url()));
    text = co_await text_of(session, direct.url("/x"), through);
    EXPECT_EQ(text, "proxied " + std::string(direct.url("/x").str())) << "who names one gets it";
    ClientSession wary;
    auto outcome = co_await capture(text_of(wary, "http://far.example/p"));
    EXPECT_TRUE(outcome.holds<http::ClientConnectorError>());
    wary.close();
    session.close();
    co_await proxy.stop();
    co_await direct.stop();
  });
}

TEST(ClientProxies, fault149_a_proxy_over_tls) {
  run_simulated([]() -> Coro<> {
    RawServer proxy = co_await RawServer::start(redirecting("/"), "localhost",
                                                ServerOptions().ssl(test::pki().server()));
    ClientSession session(SessionOptions().proxy(Proxy(proxy.url())).ssl(test::pki().client()));
    std::string text = co_await text_of(session, "http://far.example/p");
    EXPECT_EQ(text, "proxied http://far.example/p");
    std::string error = co_await error_of(session.get("https://far.example/"));
    EXPECT_NE(error.find("there is no TLS inside the TLS of a proxy"), std::string::npos) << error;
    // Its certificate is checked as a server's.
    ClientSession doubtful{SessionOptions().proxy(Proxy(proxy.url()))};
    auto outcome = co_await capture(text_of(doubtful, "http://far.example/p"));
    EXPECT_TRUE(outcome.holds<http::ClientProxyConnectionError>());
    EXPECT_EQ(proxy.connections(), 1);
    doubtful.close();
    session.close();
    co_await proxy.stop();
  });
}

}  // namespace
