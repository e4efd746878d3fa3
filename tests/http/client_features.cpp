// SPDX-License-Identifier: BSL-1.0
// What goes where: redirects, credentials, proxies and the keys of the pool (faults 146 to 151).
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_server.hpp"
#include "tls.hpp"
#include "tunnel_proxy.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::Method;
using http::Proxy;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::error_of;
using test::field_of;
using test::pieces;
using test::RawServer;
using test::read_request;
using test::Recorder;
using test::response_with;
using test::say_target;
using test::saying;
using test::Strings;
using test::target_of;
using test::text_of;
using test::TunnelProxy;

namespace {

/// What of the credentials arrives where a redirect leads to.
Coro<std::string> what_follows(URL from, URL to, Recorder& recorder) {
  ClientSession session(SessionOptions().ssl(test::pki().client()));
  RequestOptions options;
  options.auth("user", "secret").header("Proxy-Authorization", "Basic eA==");
  options.header("Cookie", "typed=1").cookies({{"given", "2"}}).header("Host", "other.example");
  recorder.heads.clear();
  ClientResponse response =
      co_await session.get(URL(std::string(from.str()) + "to?" + std::string(to.str())), options);
  session.close();
  const std::string& first = recorder.heads.at(0);
  EXPECT_EQ(field_of(first, "Cookie"), "typed=1; given=2");
  EXPECT_EQ(field_of(first, "Host"), "other.example");
  EXPECT_EQ(field_of(first, "Proxy-Authorization"), "-") << "there is no proxy";
  const std::string& second = recorder.heads.at(1);
  co_return field_of(second, "Authorization") + "|" + field_of(second, "Cookie") + "|" +
      field_of(second, "Proxy-Authorization") + "|" + field_of(second, "Host");
}

TEST(ClientFeatures, S49_credentials_of_a_session) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer site = co_await RawServer::start(recorder.handler());
    RawServer other = co_await RawServer::start(recorder.handler());
    ClientSession session(SessionOptions().auth("user", "secret"));
    co_await session.get(site.url());
    co_await session.get(site.url(), RequestOptions().bearer("token"));
    co_await session.get(
        URL(std::string(site.url().str()) + "to?" + std::string(other.url().str())));
    const std::string host(site.url().host_port());
    co_await session.get(URL("http://alice:pw@" + host + "/"));
    session.close();
    ClientSession bearing(SessionOptions().base_url(site.url()).bearer("token"));
    co_await bearing.get("/");
    co_await bearing.get(other.url());
    bearing.close();
    Strings seen;
    for (const std::string& head : recorder.heads) seen.push_back(field_of(head, "Authorization"));
    const std::string basic = "Basic dXNlcjpzZWNyZXQ=";
    EXPECT_EQ(seen, (Strings{basic, "Bearer token", basic, "-",
                             "Basic YWxpY2U6cHc=", "Bearer token", "-"}));
    co_await site.stop();
    co_await other.stop();
  });
}

TEST(ClientFeatures, fault146_credentials_stay_with_their_origin) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer plain = co_await RawServer::start(recorder.handler());
    RawServer other = co_await RawServer::start(recorder.handler());
    RawServer secure = co_await RawServer::start(recorder.handler(), "localhost",
                                                 ServerOptions().ssl(test::pki().server()));
    URL same = plain.url("/there");
    std::string kept = co_await what_follows(plain.url(), same, recorder);
    EXPECT_EQ(kept, "Basic dXNlcjpzZWNyZXQ=|typed=1; given=2|-|other.example");
    std::vector<std::pair<URL, URL>> others{
        {plain.url(), other.url()},                         // another port
        {plain.url(), plain.url().with_host("localhost")},  // another host
        {plain.url(), secure.url()},                        // another scheme
        {secure.url(), plain.url()}};
    for (const auto& [from, to] : others) {
      std::string got = co_await what_follows(from, to, recorder);
      EXPECT_EQ(got, "-|-|-|" + std::string(to.host_port())) << from.str() << " " << to.str();
    }
    co_await plain.stop();
    co_await other.stop();
    co_await secure.stop();
  });
}

TEST(ClientFeatures, fault146_where_redirects_do_not_lead) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer server = co_await RawServer::start(recorder.handler());
    ClientSession session;
    const std::vector<std::pair<std::string, std::string>> cases{
        {"file:///etc/passwd", "neither http nor https"},
        {"javascript:1", "neither http nor https"},
        {"ftp://u:secret@h/", "neither http nor https"},
        {"http://h:99999/", "InvalidURL"}};
    for (const auto& [to, expected] : cases) {
      std::string error = co_await error_of(session.get(server.url("/to?" + to)));
      EXPECT_NE(error.find(expected), std::string::npos) << error;
      EXPECT_EQ(error.find("secret"), std::string::npos) << error;
    }
    RawServer loop = co_await RawServer::start([](StreamReader reader,
                                                  StreamWriter writer) -> Coro<> {
      for (;;) {
        co_await read_request(reader);
        co_await writer.send("HTTP/1.1 307 X\r\nLocation: /a%0d%0ab\r\nContent-Length: 0\r\n\r\n");
      }
    });
    std::string error = co_await error_of(session.get(loop.url()));
    EXPECT_NE(error.find("more than 10 redirects"), std::string::npos) << error;
    error = co_await error_of(session.get(loop.url(), RequestOptions().max_redirects(0)));
    EXPECT_NE(error.find("more than 0 redirects"), std::string::npos) << error;
    EXPECT_EQ(loop.connections(), 1);
    session.close();
    co_await server.stop();
    co_await loop.stop();
  });
}

TEST(ClientFeatures, fault146_a_body_that_can_be_sent_once_is_not_sent_twice) {
  run_simulated([]() -> Coro<> {
    Recorder recorder;
    RawServer server = co_await RawServer::start(recorder.handler());
    ClientSession session;
    recorder.status = "307";
    ClientResponse again =
        co_await session.post(server.url("/to?/end"), RequestOptions().data("twice"));
    EXPECT_EQ(again.status(), 200);
    EXPECT_EQ(field_of(recorder.heads.at(1), "Content-Length"), "5");
    RequestOptions once;
    once.data(pieces({"on", "ce"}));
    std::string error = co_await error_of(session.post(server.url("/to?/end"), once));
    EXPECT_NE(error.find("cannot be sent again"), std::string::npos) << error;
    error = co_await error_of(session.post(server.url(), once));
    EXPECT_NE(error.find("cannot be sent again"), std::string::npos) << error;
    // As a GET there is nothing to send.
    recorder.status = "303";
    RequestOptions options;
    options.data(pieces({"on", "ce"}));
    ClientResponse other = co_await session.post(server.url("/to?/end"), options);
    EXPECT_EQ(other.method(), Method::GET);
    EXPECT_EQ(field_of(recorder.heads.back(), "Transfer-Encoding"), "-");
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, fault147_nothing_that_would_split_a_request_is_sent) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(say_target);
    ClientSession session;
    for (std::string bad : {std::string("a\r\nb"), std::string("a\nb"), std::string("a\rb"),
                            std::string("a\0b", 3), std::string("a b")}) {
      bool blank = bad == "a b";
      EXPECT_NE(test::thrown([&] { Method method(bad); }), "nothing");
      EXPECT_NE(test::thrown([&] { URL url("http://h/" + bad); }), "nothing");
      EXPECT_NE(test::thrown([&] { URL url("http://" + bad + "/"); }), "nothing");
      EXPECT_NE(test::thrown([&] { RequestOptions().header(bad, "x"); }), "nothing");
      EXPECT_NE(test::thrown([&] { SessionOptions().header(bad, "x"); }), "nothing");
      EXPECT_NE(test::thrown([&] { Proxy proxy("http://" + bad + "/"); }), "nothing");
      if (!blank) {
        EXPECT_NE(test::thrown([&] { RequestOptions().header("X", bad); }), "nothing");
        EXPECT_NE(test::thrown([&] { RequestOptions().bearer(bad); }), "nothing");
        EXPECT_NE(test::thrown([&] { http::FormData().add_file("f", "", "n", bad); }), "nothing");
      }
      for (const auto& cookies : {http::MultiDict{{bad, "x"}}, http::MultiDict{{"x", bad}}}) {
        std::string error =
            co_await error_of(session.get(server.url(), RequestOptions().cookies(cookies)));
        EXPECT_NE(error.find("ValueError"), std::string::npos) << error;
      }
      if (!blank) continue;
      std::string error =
          co_await error_of(session.get(server.url(), RequestOptions().header("Host", bad)));
      EXPECT_NE(error.find("ValueError"), std::string::npos) << error;
    }
    EXPECT_EQ(server.connections(), 0);
    session.close();
    co_await server.stop();
  });
}

/// What it is answered with would make the connection something else than HTTP.
TEST(ClientFeatures, fault149_a_tunnel_is_no_request) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(say_target);
    ClientSession session;
    std::string error = co_await error_of(session.request("CONNECT", server.url()));
    EXPECT_EQ(error, "asyncio::ValueError: method CONNECT: only for the session's proxies");
    EXPECT_EQ(server.connections(), 0);
    session.close();
    co_await server.stop();
  });
}

/// Quotes and ends of lines in a name are percent-encoded, as browsers do it.
TEST(ClientFeatures, fault147_names_in_a_form_cannot_end_their_line) {
  for (std::string bad : {"a\r\nContent-Type: b", "a\"; filename=\"b", "a\nb"}) {
    http::FormData form;
    form.add_field(bad, "1").add_file(bad, "2", bad);
    std::string body = form.body();
    std::size_t lines = 0;
    for (std::size_t at = 0; (at = body.find('\n', at)) != std::string::npos; ++at) {
      EXPECT_EQ(body[at - 1], '\r');
      ++lines;
    }
    EXPECT_EQ(lines, 10u) << body;
    EXPECT_EQ(body.find("; filename=\"b"), std::string::npos) << body;
  }
  for (std::string bad : {std::string("a\0b", 3), std::string("a\x1b"), std::string("\x7f")}) {
    http::FormData form;
    EXPECT_NE(test::thrown([&] { form.add_field(bad, "1"); }), "nothing");
    EXPECT_NE(test::thrown([&] { form.add_file("f", "2", bad); }), "nothing");
    form.add_field("f", "1");
    EXPECT_TRUE(form.body().starts_with("--")) << "a refused part begins the form";
  }
}

TEST(ClientFeatures, fault149_credentials_of_a_proxy_are_for_it_alone) {
  run_simulated([]() -> Coro<> {
    Recorder origin;
    RawServer secure = co_await RawServer::start(origin.handler(), "localhost",
                                                 ServerOptions().ssl(test::pki().server()));
    TunnelProxy tunnels;
    RawServer proxy = co_await RawServer::start(tunnels.handler());
    URL with_user = proxy.url().with_credentials("us er", "pass");
    ClientSession session(SessionOptions().proxy(Proxy(with_user)).ssl(test::pki().client()));
    ClientResponse response =
        co_await session.get(secure.url("/x?y"), RequestOptions().auth("a", "b"));
    std::string text = co_await response.text();
    EXPECT_EQ(text, "end");
    text = co_await text_of(session, secure.url("/again"));
    // What the proxy saw: the host and the port, and what is for it.
    EXPECT_EQ(tunnels.heads.size(), 1u) << "the tunnel is used again";
    const std::string& connect = tunnels.heads.at(0);
    EXPECT_TRUE(connect.starts_with("CONNECT localhost:")) << connect;
    EXPECT_EQ(field_of(connect, "Proxy-Authorization"), "Basic dXMgZXI6cGFzcw==");
    EXPECT_EQ(field_of(connect, "Authorization"), "-");
    EXPECT_EQ(field_of(origin.heads.at(0), "Proxy-Authorization"), "-");
    EXPECT_EQ(field_of(origin.heads.at(0), "Authorization"), "Basic YTpi");
    EXPECT_EQ(target_of(origin.heads.at(0)), "/x?y");
    // Without TLS the proxy is asked itself.
    text = co_await text_of(session, "http://far.example:81/p?q=1#f");
    EXPECT_EQ(text, "proxied");
    const std::string& absolute = tunnels.heads.at(1);
    EXPECT_EQ(target_of(absolute), "http://far.example:81/p?q=1");
    EXPECT_EQ(field_of(absolute, "Host"), "far.example:81");
    EXPECT_EQ(field_of(absolute, "Proxy-Authorization"), "Basic dXMgZXI6cGFzcw==");
    session.close();
    co_await proxy.stop();
    co_await secure.stop();
  });
}

/// From plain text, which the proxy is asked for, into a tunnel.
TEST(ClientFeatures, fault149_a_redirect_into_the_tunnel_leaves_the_proxys_credentials) {
  run_simulated([]() -> Coro<> {
    Recorder origin;
    RawServer secure = co_await RawServer::start(origin.handler(), "localhost",
                                                 ServerOptions().ssl(test::pki().server()));
    TunnelProxy tunnels;
    auto tunnel = tunnels.handler();
    RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      std::string_view line = co_await reader.readuntil_view("\r\n");
      bool plain = line.starts_with("GET ");
      if (!plain) {
        auto [far_reader, far_writer] = co_await open_connection("localhost", secure.port());
        co_await reader.readuntil("\r\n\r\n");
        co_await writer.send("HTTP/1.1 200 OK\r\n\r\n");
        std::string bytes = co_await reader.read(4096);
        EXPECT_EQ(bytes[0], 22) << "a TLS handshake, and nothing in the clear";
        co_return;
      }
      co_await reader.readuntil("\r\n\r\n");
      co_await writer.send("HTTP/1.1 302 X\r\nContent-Length: 0\r\nLocation: " +
                           std::string(secure.url().str()) + "\r\n\r\n");
    };
    RawServer proxy = co_await RawServer::start(handler);
    ClientSession session(SessionOptions().ssl(test::pki().client()));
    RequestOptions options;
    options.proxy(Proxy(proxy.url(), "user", "pass"));
    co_await error_of(session.get("http://plain.example/", options));
    EXPECT_EQ(proxy.connections(), 2);
    session.close();
    co_await proxy.stop();
    co_await secure.stop();
  });
}

TEST(ClientFeatures, fault149_what_a_proxy_may_answer) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nbody", "407"},
      {"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
       "502"},
      {"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n", "302"},
      {"HTTP/1.1 200 OK\r\n\r\nearly bytes", "begins with bytes of the proxy"},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(1 << 20, 'x'), "ClientConnectorError"},
      {"no HTTP", "ClientConnectorError"},
      {"", "ClientConnectorError"}};
  for (const auto& [bytes, expected] : cases) {
    run_simulated([&]() -> Coro<> {
      RawServer proxy = co_await RawServer::start(saying(bytes));
      URL url = proxy.url();
      ClientSession session(SessionOptions().proxy(Proxy(url)));
      auto outcome = co_await capture(session.get("https://far.example/"));
      std::string error = describe_exception(outcome.exception());
      EXPECT_NE(error.find(expected), std::string::npos) << error;
      EXPECT_NE(error.find("far.example:443"), std::string::npos) << error;
      EXPECT_EQ(outcome.holds<http::ClientHttpProxyError>(),
                bytes.starts_with("HTTP/1.1 407") || bytes.starts_with("HTTP/1.1 502") ||
                    bytes.starts_with("HTTP/1.1 302") || bytes.ends_with("early bytes"));
      session.close();
      co_await proxy.stop();
      auto gone =
          co_await capture(http::get("http://far.example/", RequestOptions().proxy(Proxy(url))));
      EXPECT_TRUE(gone.holds<http::ClientProxyConnectionError>());
    });
  }
  EXPECT_NE(test::thrown([] { Proxy proxy("socks5://user:secret@h/"); }).find("InvalidURL"),
            std::string::npos);
  EXPECT_EQ(test::thrown([] { Proxy proxy("ftp://user:secret@h/"); }).find("secret"),
            std::string::npos);
}

TEST(ClientFeatures, fault150_connections_are_made_from_the_local_address) {
  asyncio::run([]() -> Coro<> {
    std::string host;
    auto note = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      host = writer.peername().host();
      (void)co_await reader.readuntil("\r\n\r\n");
      co_await writer.send(response_with("hello"));
    };
    RawServer server = co_await RawServer::start(note);
    ClientSession session(SessionOptions().local_addr("127.0.0.2"));
    ClientResponse response = co_await session.get(server.url());
    response.close();
    EXPECT_EQ(host, "127.0.0.2");
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFeatures, fault150_connections_are_shared_only_by_what_is_equal) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(say_target, "localhost",
                                                 ServerOptions().ssl(test::pki().server()));
    TunnelProxy tunnels;
    RawServer proxy = co_await RawServer::start(tunnels.handler());
    ClientSession session(SessionOptions().ssl(test::pki().client()));
    int known = 0;
    auto is_new = [&](RequestOptions options) -> Coro<bool> {
      co_await text_of(session, server.url(), std::move(options));
      bool fresh = server.connections() > std::exchange(known, server.connections());
      co_return fresh;
    };
    TlsContext mine = test::pki().client();
    const std::vector<std::pair<RequestOptions, bool>> steps{
        {RequestOptions(), true},
        {RequestOptions(), false},
        {RequestOptions().ssl(mine), true},
        {RequestOptions().ssl(mine), false},
        {RequestOptions().ssl(test::pki().client()), true},
        {RequestOptions().proxy(Proxy(proxy.url())), true},
        {RequestOptions().proxy(Proxy(proxy.url())), false},
        {RequestOptions().proxy(Proxy(proxy.url(), "a", "b")), true},
        {RequestOptions().proxy(Proxy(proxy.url(), "a", "c")), true},
        {RequestOptions().proxy(Proxy(proxy.url(), "a", "b")), false},
        {RequestOptions(), false},
        {RequestOptions().ssl(mine), false}};
    for (std::size_t i = 0; i < steps.size(); ++i) {
      bool fresh = co_await is_new(steps[i].first);
      EXPECT_EQ(fresh, steps[i].second) << "step " << i;
    }
    test::Identity user(test::pki().folder, test::CertificateSpec("user").usage("clientAuth"),
                        test::pki().root);
    mine.load_cert_chain(user.certfile, user.keyfile);
    bool fresh = co_await is_new(RequestOptions().ssl(mine));
    EXPECT_TRUE(fresh) << "the same context, but somebody else";
    session.close();
    co_await server.stop();
    co_await proxy.stop();
  });
}

TEST(ClientFeatures, fault151_cookies_of_a_whole_session) {
  run_simulated([]() -> Coro<> {
    Network network;
    for (const char* name : {"a.example.org", "example.org", "b.example.org"})
      network.host(name, {"127.0.0.1"});
    Strings cookies;
    RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (;;) {
        cookies.push_back(field_of(co_await read_request(reader), "Cookie"));
        co_await writer.send(response_with(
            "x",
            "Set-Cookie: host=1\r\nSet-Cookie: all=2; Domain=example.org\r\n"
            "Set-Cookie: evil=3; Domain=org\r\nSet-Cookie: far=4; Domain=other.test\r\n"
            "Set-Cookie: secure=5; Secure\r\nSet-Cookie: deep=6; Path=/deep\r\n"
            "Set-Cookie: gone=7; Max-Age=0\r\n"));
      }
    };
    RawServer server = co_await RawServer::start(handler);
    ClientSession session;
    auto ask = [&](std::string host, std::string path) -> Coro<std::string> {
      co_await text_of(session, server.url(path).with_host(host));
      co_return cookies.back();
    };
    std::string got = co_await ask("A.Example.org", "/");
    EXPECT_EQ(got, "-");
    got = co_await ask("a.example.org", "/");
    EXPECT_EQ(got, "host=1; all=2");
    got = co_await ask("a.example.org", "/deep/er");
    EXPECT_EQ(got, "deep=6; host=1; all=2");
    session.cookie_jar().clear_domain("b.example.org");
    got = co_await ask("b.example.org", "/");
    EXPECT_EQ(got, "all=2");
    got = co_await ask("127.0.0.1", "/");
    EXPECT_EQ(got, "-");
    session.close();
    co_await server.stop();
  });
}

}  // namespace
