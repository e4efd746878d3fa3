// SPDX-License-Identifier: BSL-1.0
// aiohttp, Node (fetch, http, undici, ws) and wrk as clients of our server, and as servers of our
// client. What the peers do is in tests/data/peers.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/runner.hpp"
#include "asyncio/web/stream_response.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "folder.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "talk.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <regex>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::URL;
using http::WebSocket;
using http::WebSocketOptions;
using http::WSCloseCode;
using http::WSMsgType;
using test::kNodePath;
using test::kPython;
using test::pattern;
using test::pki;
using test::Program;

namespace {

/// A peer, with arguments behind its file.
std::vector<std::string> python(const std::string& file, std::vector<std::string> words = {}) {
  words.insert(words.begin(), {kPython, PEERS "/" + file});
  return words;
}
std::vector<std::string> node(const std::string& file, std::vector<std::string> words = {}) {
  words.insert(words.begin(), {"env", kNodePath, "NODE_EXTRA_CA_CERTS=" + pki().root.certfile,
                               "NODE_NO_WARNINGS=1", "node", PEERS "/" + file});
  return words;
}

class RealPeers : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealPeers, test::real_backends, test::backend_name);

Coro<web::Response> stream(web::Request& request) {
  web::StreamResponse stream;
  co_await stream.prepare(request);
  for (int i = 0; i < 5; ++i) co_await stream.write(std::to_string(i));
  web::Response response = co_await stream.write_eof();
  co_return response;
}

Coro<web::Response> form(web::Request& request) {
  web::PostData form = co_await request.post();
  std::string text;
  for (const auto& [name, value] : form) text += name + "=" + value + ";";
  for (const auto& file : form.files())
    text += file.name + ":" + file.filename + ":" + std::to_string(file.content.size()) + ";";
  co_return web::Response(text);
}

web::Application application() {
  web::Application app;
  app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("hello"); });
  app.add_route("*", "/echo", [](web::Request& request) -> Coro<web::Response> {
    web::Response response;
    std::string body = co_await request.read();
    co_return response.body(std::move(body));
  });
  app.get("/number/{n:int}", [](web::Request&, int n) -> Coro<web::Response> {
    co_return web::Response(std::to_string(n));
  });
  app.get("/moved", [](web::Request&) -> Coro<web::Response> {
    throw web::HTTPFound("/");
    co_return web::Response();
  });
  app.get("/cookie", [](web::Request&) -> Coro<web::Response> {
    web::Response response;
    response.set_cookie(http::Cookie("taste", "sweet").path("/"));
    co_return response;
  });
  app.get("/stream", stream).post("/form", form).get("/ws", test::talk);
  return app;
}

/// The application, plain and over TLS.
class Both {
 public:
  static Coro<Both> start() {
    Both both{web::AppRunner(application())};
    co_await both.runner_.setup();
    web::TCPSite plain(both.runner_, "127.0.0.1", 0);
    co_await plain.start();
    ServerOptions secure;
    secure.ssl(pki().server());
    web::TCPSite tls(both.runner_, "127.0.0.1", 0, secure);
    co_await tls.start();
    co_return both;
  }
  std::string plain() const { return "http://127.0.0.1:" + port(0) + "/"; }
  std::string tls() const { return "https://127.0.0.1:" + port(1) + "/"; }
  Coro<> cleanup() const { return runner_.cleanup(); }

 private:
  explicit Both(web::AppRunner runner) : runner_(std::move(runner)) {}
  std::string port(std::size_t site) const {
    return std::to_string(runner_.addresses().at(site).port());
  }

  web::AppRunner runner_;
};

Coro<> expect_well(std::vector<std::string> command) {
  Program client(std::move(command));
  std::string said = co_await test::output_until(client, "all well\n|Error|error");
  EXPECT_EQ(said, "all well\n");
}

TEST_P(RealPeers, D13_aiohttp_asks_our_server) {
  if (test::lacks_python_module("aiohttp")) return;
  run([]() -> Coro<> {
    Both served = co_await Both::start();
    std::vector<std::string> plain(1, served.plain()), tls(1, served.tls());
    tls.push_back(pki().root.certfile);
    co_await expect_well(python("aiohttp_client.py", plain));
    co_await expect_well(python("aiohttp_client.py", tls));
    co_await served.cleanup();
  });
}

TEST_P(RealPeers, D13_node_asks_our_server) {
  if (test::lacks_node_module("undici") || test::lacks_node_module("ws")) return;
  run([]() -> Coro<> {
    Both served = co_await Both::start();
    std::vector<std::string> urls(1, served.plain());
    urls.push_back(served.tls());
    co_await expect_well(node("node_client.js", urls));
    co_await served.cleanup();
  });
}

std::vector<std::string> wrk(const std::string& url) {
  return {"wrk", "-t1", "-c16", "-d1s", "--latency", url};
}

/// The number that stands before a word in what wrk says; 0 if there is none.
long number_before(const std::string& text, const std::string& expression) {
  std::smatch match;
  return std::regex_search(text, match, std::regex(expression)) ? std::stol(match[1]) : 0;
}

TEST_P(RealPeers, D13_wrk_gets_every_answer) {
  if (test::lacks_program("wrk")) return;
  run([]() -> Coro<> {
    long answered = 0;
    web::Application app;
    app.get("/", [&answered](web::Request&) -> Coro<web::Response> {
      ++answered;
      co_return web::Response("hello");
    });
    web::AppRunner runner(std::move(app));
    co_await runner.setup();
    web::TCPSite site(runner, "127.0.0.1", 0);
    co_await site.start();
    std::string url = "http://127.0.0.1:" + std::to_string(runner.addresses().at(0).port()) + "/";
    Program program(wrk(url));
    std::string said = co_await test::output_until(program, "Transfer/sec|unable");
    long seen = number_before(said, "([0-9]+) requests in");
    EXPECT_GT(seen, 0) << said;
    EXPECT_EQ(said.find("Non-2xx"), std::string::npos) << said;
    EXPECT_EQ(said.find("Socket errors"), std::string::npos) << said;
    // It stops with a request on its way on each of its connections.
    EXPECT_LE(seen, answered);
    EXPECT_LE(answered, seen + 16);
    co_await runner.cleanup();
  });
}

Coro<> echo(ClientSession session, RequestOptions options, std::string body) {
  ClientResponse response = co_await session.post("/echo", std::move(options));
  EXPECT_EQ(response.status(), 200);
  std::string back = co_await response.read();
  EXPECT_TRUE(back == body) << back.size();
}

AsyncGenerator<std::string> in_pieces(std::string body) {
  for (std::size_t at = 0; at < body.size(); at += 70'000) co_yield body.substr(at, 70'000);
}

/// What both servers have.
Coro<> ask(ClientSession session) {
  const std::string large = pattern(500'000);
  std::vector<Coro<>> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(echo(session, RequestOptions().data(std::to_string(i)), std::to_string(i)));
  co_await gather(std::move(all));
  co_await echo(session, RequestOptions().data(large), large);
  co_await echo(session, RequestOptions().data(in_pieces(large)), large);
  ClientResponse zipped = co_await session.get("/zipped");
  std::string words = co_await zipped.text();
  EXPECT_EQ(words.size(), 120'000u);
  EXPECT_TRUE(words.ends_with("plain words "));
  ClientResponse moved = co_await session.get("/moved");
  EXPECT_EQ(moved.url().path(), "/echo");
  EXPECT_EQ(moved.history().size(), 1u);
  ClientResponse cookies = co_await session.get("/cookies");
  std::string sent = co_await cookies.text();
  EXPECT_NE(sent.find("sweet"), std::string::npos) << sent;
}

Coro<> talk_to(ClientSession session, WebSocketOptions options) {
  WebSocket ws = co_await session.ws_connect("/ws", options.autoping(false));
  for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 300'000}) {
    const std::string text(size, 'x');
    co_await ws.send_str(text);
    std::string same = co_await ws.receive_str();
    EXPECT_TRUE(same == text) << size;
    const std::string bytes = pattern(size);
    co_await ws.send_bytes(bytes);
    same = co_await ws.receive_bytes();
    EXPECT_TRUE(same == bytes) << size;
  }
  co_await ws.ping("asked");
  http::WSMessage pong = co_await ws.receive();
  EXPECT_EQ(pong.type, WSMsgType::Pong);
  EXPECT_EQ(pong.data, "asked");
  co_await ws.send_str("close");
  http::WSMessage end = co_await ws.receive();
  EXPECT_EQ(end.type, WSMsgType::Close);
  EXPECT_EQ(end.close_code, WSCloseCode::ServiceRestart);
  EXPECT_EQ(end.data, "restart");
}

Coro<std::string> answer_to(ClientSession session, const http::FormData& form) {
  ClientResponse response = co_await session.post("/form", RequestOptions().data(form));
  std::string said = co_await response.text();
  co_return said;
}

/// With files in memory, on the disk and from a generator.
Coro<> send_forms(ClientSession session) {
  test::Folder folder;
  const std::string content = pattern(100'000);
  http::FormData form;
  form.add_field("a", "x y&z").add_file("f", content, "\u00e9 1.bin");
  std::string said = co_await answer_to(session, form);
  EXPECT_EQ(said, "x y&z;\u00e9 1.bin:100000;same;counted");
  form.add_path("f", folder.write("2.bin", content));
  said = co_await answer_to(session, form);
  EXPECT_EQ(said, "x y&z;\u00e9 1.bin:100000;2.bin:100000;same;counted");
  form.add_file("f", in_pieces(content), "3.bin");
  said = co_await answer_to(session, form);
  EXPECT_EQ(said, "x y&z;\u00e9 1.bin:100000;2.bin:100000;3.bin:100000;same;chunked");
}

Coro<> ask_server(std::vector<std::string> command, bool has_forms) {
  Program server(std::move(command));
  std::uint16_t port = co_await test::port_of(server, "port ([0-9]+)\n");
  ClientSession session(
      http::SessionOptions().base_url(URL("http://127.0.0.1:" + std::to_string(port))));
  co_await ask(session);
  if (has_forms) co_await send_forms(session);
  co_await talk_to(session, WebSocketOptions());
  co_await talk_to(session, WebSocketOptions().compress(false));
  co_await talk_to(session, WebSocketOptions().window_bits(10).context_takeover(false));
  session.close();
}

TEST_P(RealPeers, S42_our_client_asks_aiohttp) {
  if (test::lacks_python_module("aiohttp")) return;
  run([]() -> Coro<> { co_await ask_server(python("aiohttp_server.py"), true); });
}

TEST_P(RealPeers, S42_our_client_asks_node) {
  if (test::lacks_node_module("ws")) return;
  run([]() -> Coro<> { co_await ask_server(node("node_server.js"), false); });
}

}  // namespace
