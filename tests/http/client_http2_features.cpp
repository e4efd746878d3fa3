// SPDX-License-Identifier: BSL-1.0
// What a session does around a request is the same over HTTP/2: cookies, hooks, tunnels.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "folder.hpp"
#include "http2_peer.hpp"
#include "served.hpp"
#include "tls.hpp"
#include "trace_log.hpp"
#include "tunnel_proxy.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::Cookie;
using http::Proxy;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::error_of;
using test::H2Link;
using test::H2Stream;
using test::over_http2;
using test::RawServer;
using test::respond;
using test::Served;
using test::speaking_http2;
using test::Strings;
using test::text_of;

namespace {

/// "/set" sets cookies, "/drop" ends one; else it says which have come.
web::Application cookie_monster() {
  web::Application app;
  app.get("/set", [](web::Request&) -> Coro<web::Response> {
    web::Response response("set");
    response.set_cookie(Cookie("id", "42").path("/")).set_cookie(Cookie("theme", "x").path("/"));
    response.set_cookie(Cookie("deep", "1").path("/deep"));
    co_return response;
  });
  app.get("/drop", [](web::Request&) -> Coro<web::Response> {
    web::Response response("dropped");
    response.header("Set-Cookie", "id=; Path=/; Max-Age=0");
    co_return response;
  });
  app.get("/{rest...}", [](web::Request& request) -> Coro<web::Response> {
    std::string text;
    for (const auto& [name, value] : request.cookies())
      text.append(name).append("=").append(value).append(";");
    co_return web::Response(text);
  });
  return app;
}

RequestOptions with_cookie(const char* name, const char* value) {
  return RequestOptions().cookies({{name, value}});
}

TEST(ClientHttp2, fault151_D13_cookies_come_back) {
  run_simulated([]() -> Coro<> {
    web::RunnerOptions options;
    options.http2_prior_knowledge(true);
    Served served = co_await test::serve(cookie_monster(), options);
    ClientSession session(over_http2());
    const auto at = [&](const char* path) { return served.url().join(URL(path)); };
    ClientResponse response = co_await session.get(at("/set"));
    EXPECT_EQ(response.version().major_number(), 2);
    (void)co_await response.text();
    std::string text = co_await text_of(session, at("/show"));
    EXPECT_EQ(text, "id=42;theme=x;");
    text = co_await text_of(session, at("/deep/show"));
    EXPECT_EQ(text, "deep=1;id=42;theme=x;");
    text = co_await text_of(session, at("/show"), with_cookie("id", "mine"));
    EXPECT_EQ(text, "id=mine;theme=x;");
    text = co_await text_of(session, at("/drop"));
    text = co_await text_of(session, at("/show"));
    EXPECT_EQ(text, "theme=x;");
    session.close();
    co_await served.cleanup();
  });
}

/// Answers "/to" with a redirect to "/end", and resets "/gone".
Coro<> redirect_or_end(H2Link link, H2Stream stream) {
  const std::string target = stream->request.target;
  if (target == "/gone") {
    link->session().reset(*stream, test::Http2Code::internal_error);
    link->flush_soon();
  } else if (target == "/to") {
    http::Headers fields;
    fields.set("Location", "/end");
    respond(link, stream, "", 307, fields);
  } else {
    respond(link, stream, "end");
  }
  co_return;
}

/// "length:name=size;name=size;" of a form; the length is "-" if nobody said it before.
Coro<web::Response> measure(web::Request& request) {
  std::string text(request.headers().get("Content-Length", "-"));
  web::PostData form = co_await request.post();
  text += ":";
  for (const auto& file : form.files())
    text += file.filename + "=" + std::to_string(file.content.size()) + ";";
  co_return web::Response(text);
}

AsyncGenerator<std::string> many_pieces() {
  for (int i = 0; i < 10; ++i) co_yield std::string(10'000, 'x');
}

TEST(ClientHttp2, D13_files_of_a_form_that_are_not_in_memory) {
  run_simulated([]() -> Coro<> {
    web::Application app;
    app.post("/", measure);
    web::RunnerOptions options;
    options.http2_prior_knowledge(true);
    Served served = co_await test::serve(std::move(app), options);
    ClientSession session(over_http2());
    test::Folder folder;
    http::FormData form;
    form.add_path("f", folder.write("one", std::string(200'000, 'x')));
    ClientResponse counted = co_await session.post(served.url(), RequestOptions().data(form));
    EXPECT_EQ(counted.version(), http::Version::http_2);
    std::string text = co_await counted.text();
    EXPECT_TRUE(text.ends_with(":one=200000;")) << text;
    EXPECT_GT(std::stoul(text), 200'000u) << text;
    form.add_file("g", many_pieces(), "two");
    ClientResponse streamed = co_await session.post(served.url(), RequestOptions().data(form));
    text = co_await streamed.text();
    EXPECT_EQ(text, "-:one=200000;two=100000;");
    session.close();
    co_await served.cleanup();
  });
}

TEST(ClientHttp2, S42_hooks_are_told_of_each_moment) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(speaking_http2(redirect_or_end));
    test::TraceLog log;
    ClientSession session(over_http2().trace(log.config()));
    RequestOptions options;
    options.data(std::string("body"));
    ClientResponse response = co_await session.post(server.url("/to"), options);
    std::string text = co_await response.text();
    EXPECT_EQ(text, "end");
    EXPECT_EQ(log.take(),
              (Strings{"start /to", "create", "created", "headers", "sent 4", "redirect 307",
                       "reuse", "headers", "sent 4", "end /to 200", "received 3"}));
    std::string error = co_await error_of(session.post(server.url("/gone")));
    EXPECT_NE(error.find("INTERNAL_ERROR"), std::string::npos) << error;
    EXPECT_EQ(log.take(), (Strings{"start /gone", "reuse", "headers", "exception"}));
    session.close();
    co_await server.stop();
  });
}

/// One that joins a connection in use waits for nothing, and makes none.
TEST(ClientHttp2, S42_hooks_of_requests_that_share_a_connection) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(speaking_http2(test::echo_target));
    test::TraceLog log;
    ClientSession session(over_http2().limit(1).trace(log.config()));
    ClientResponse held = co_await session.get(server.url("/held"));
    log.lines.clear();
    std::string text = co_await text_of(session, server.url("/joins"));
    EXPECT_EQ(text, "/joins");
    EXPECT_EQ(log.take(),
              (Strings{"start /joins", "reuse", "headers", "end /joins 200", "received 6"}));
    (void)co_await held.text();
    session.close();
    co_await server.stop();
  });
}

/// Who has waited for the first connection to a server, in vain, waits in line for a second one;
/// then another makes it, and there is one to share.
TEST(ClientHttp2, S42_hooks_of_a_request_in_line_that_joins_a_shared_connection) {
  run_simulated([]() -> Coro<> {
    RawServer other = co_await RawServer::start(speaking_http2(test::echo_target));
    RawServer server = co_await RawServer::start(speaking_http2(test::echo_target));
    test::TraceLog log("/joins");
    ClientSession session(over_http2().limit(1).trace(log.config()));
    ClientResponse held = co_await session.get(other.url("/held"));
    auto first = create_task(text_of(session, server.url("/first")));
    auto second = create_task(text_of(session, server.url("/second")));
    auto joins = create_task(text_of(session, server.url("/joins")));
    co_await sleep(1s);
    EXPECT_EQ(log.take(), (Strings{"start /joins"})) << "it waits to see what the first becomes";
    first.cancel();
    co_await sleep(1s);
    EXPECT_EQ(log.take(), (Strings{"queued"}));
    (void)co_await held.text();
    std::string text = co_await joins;
    EXPECT_EQ(text, "/joins");
    EXPECT_EQ(log.take(),
              (Strings{"had its turn", "reuse", "headers", "end /joins 200", "received 6"}));
    text = co_await second;
    EXPECT_EQ(text, "/second");
    EXPECT_EQ(server.connections(), 1);
    session.close();
    co_await server.stop();
    co_await other.stop();
  });
}

TEST(ClientHttp2, fault149_a_tunnel_leads_to_http2) {
  run_simulated([]() -> Coro<> {
    TlsContext context = test::pki().server();
    context.set_alpn_protocols({"h2", "http/1.1"});
    RawServer origin = co_await RawServer::start(
        speaking_http2([](H2Link link, H2Stream stream) -> Coro<> {
          std::string secret(stream->request.headers.get("Proxy-Authorization", "-"));
          respond(link, stream, stream->request.target + " " + secret);
          co_return;
        }),
        "localhost", ServerOptions().ssl(context));
    test::TunnelProxy tunnels;
    RawServer proxy = co_await RawServer::start(tunnels.handler());
    ClientSession session(
        SessionOptions().proxy(Proxy(proxy.url(), "user", "pass")).ssl(test::pki().client()));
    ClientResponse response = co_await session.get(origin.url("/first"));
    EXPECT_EQ(response.version().major_number(), 2);
    std::string text = co_await response.text();
    EXPECT_EQ(text, "/first -") << "what is for the proxy stays there";
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < 5; ++i)
      all.push_back(text_of(session, origin.url("/" + std::to_string(i))));
    std::vector<std::string> texts = co_await gather(std::move(all));
    EXPECT_EQ(texts, (std::vector<std::string>{"/0 -", "/1 -", "/2 -", "/3 -", "/4 -"}));
    EXPECT_EQ(tunnels.heads.size(), 1u) << "all share the tunnel";
    EXPECT_TRUE(tunnels.heads.at(0).starts_with("CONNECT localhost:")) << tunnels.heads.at(0);
    EXPECT_EQ(test::field_of(tunnels.heads.at(0), "Proxy-Authorization"), "Basic dXNlcjpwYXNz");
    EXPECT_EQ(origin.connections(), 1);
    // Without TLS the proxy is asked itself, which speaks HTTP/1.
    text = co_await text_of(session, "http://far.example/p");
    EXPECT_EQ(text, "proxied");
    session.close();
    co_await proxy.stop();
    co_await origin.stop();
  });
}

}  // namespace
