// SPDX-License-Identifier: BSL-1.0
// A real nginx in front of our server: requests, bodies, ranges and WebSockets that pass through
// it, and what it gets when our server ends.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/web/file_response.hpp"
#include "asyncio/web/runner.hpp"
#include "asyncio/web/stream_response.hpp"
#include "asyncio/web/websocket_response.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "folder.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "served.hpp"
#include "talk.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using http::WebSocket;
using http::WSCloseCode;
using http::WSMsgType;
using test::Folder;
using test::free_port;
using test::pattern;
using test::Program;
using test::Served;

namespace {

constexpr std::size_t kLarge = std::size_t{8} << 20;

/// It hands on what comes to `port` as it is usual: "/unbuffered/..." as it comes, the rest once
/// it is there, "/ws" as WebSockets.
std::string config_of(const Folder& folder, std::uint16_t port, std::uint16_t ours) {
  std::string temporary;
  for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    temporary += std::string(what) + "_temp_path " + folder.path() + "; ";
  return "daemon off; master_process off; error_log stderr; pid " + folder.file("pid") +
         ";\nevents {}\nhttp { access_log off; " + temporary +
         "\nupstream ours { server 127.0.0.1:" + std::to_string(ours) +
         "; keepalive 16; }\n"
         "server { listen 127.0.0.1:" +
         std::to_string(port) +
         "; client_max_body_size 64m; proxy_http_version 1.1; "
         "proxy_set_header Connection \"\"; proxy_set_header Host $http_host; "
         "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
         "location / { proxy_pass http://ours; }\n"
         "location /unbuffered/ { proxy_pass http://ours/; proxy_request_buffering off; "
         "proxy_buffering off; }\n"
         "location /ws { proxy_pass http://ours; proxy_set_header Upgrade $http_upgrade; "
         "proxy_set_header Connection upgrade; } } }\n";
}

/// Runs as long as it lives.
class Nginx {
 public:
  Nginx(std::uint16_t port, std::uint16_t ours)
      : url("http://127.0.0.1:" + std::to_string(port)),
        process_({"nginx", "-c", folder_.write("nginx.conf", config_of(folder_, port, ours)), "-e",
                  "stderr"}) {}

  /// Until it listens.
  Coro<> wait() const {
    for (int i = 0; i < 2000; ++i) {
      auto opened = co_await capture(open_connection("127.0.0.1", url.port().value()));
      if (opened) {
        opened.value().second.abort();
        co_return;
      }
      co_await asyncio::sleep(5ms);
    }
    ADD_FAILURE() << "nginx does not listen: " << process_.read_some();
  }

  const URL url;

 private:
  Folder folder_;
  Program process_;
};

class BehindNginx : public test::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    if (!IsSkipped()) test::lacks_program("nginx");
  }

  /// Runs `body(ClientSession, const Served&)` with nginx in front of the application, on the port
  /// `port_`; the session asks it. The body may end the server itself.
  template <class F>
  void behind_nginx(web::Application app, F body) {
    run([&]() -> Coro<> {
      port_ = co_await free_port();
      Served served = co_await test::serve(std::move(app));
      Nginx nginx(port_, served.port());
      co_await nginx.wait();
      ClientSession session(SessionOptions().base_url(nginx.url));
      auto outcome = co_await capture(body(session, served));
      session.close();
      co_await served.cleanup();
      outcome.value();
    });
  }

  std::uint16_t port_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Backends, BehindNginx, test::real_backends, test::backend_name);

/// "200 body"
Coro<std::string> answer_to(ClientSession session, std::string path, RequestOptions options = {}) {
  ClientResponse response = co_await session.get(path, std::move(options));
  std::string text = co_await response.text();
  co_return std::to_string(response.status().code()) + " " + text;
}

TEST_P(BehindNginx, D13_connections_are_kept_and_the_client_is_known) {
  std::set<std::uint16_t> ports;
  web::Application app;
  app.get("/", [&](web::Request& request) -> Coro<web::Response> {
    ports.insert(request.remote().port());
    co_return web::Response(std::string(request.host()) + " " +
                            std::string(request.headers().get("X-Forwarded-For", "-")));
  });
  behind_nginx(std::move(app), [&](ClientSession session, const Served&) -> Coro<> {
    const std::string host = "127.0.0.1:" + std::to_string(port_);
    for (int i = 0; i < 100; ++i) {
      std::string answer = co_await answer_to(session, "/");
      EXPECT_EQ(answer, "200 " + host + " 127.0.0.1");
    }
    EXPECT_EQ(ports.size(), 1u) << "connections of nginx for one request after the other";
    std::string behind =
        co_await answer_to(session, "/", RequestOptions().header("X-Forwarded-For", "192.0.2.1"));
    EXPECT_EQ(behind, "200 " + host + " 192.0.2.1, 127.0.0.1");
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < 50; ++i) all.push_back(answer_to(session, "/"));
    std::vector<std::string> answers = co_await gather(std::move(all));
    auto fine = std::ranges::count_if(
        answers, [](const std::string& answer) { return answer.starts_with("200 "); });
    EXPECT_EQ(fine, 50);
  });
}

/// The end is not sent before `begun`: nginx counts what it has whole when it asks.
AsyncGenerator<std::string> in_pieces(std::string body, Event* begun) {
  for (std::size_t at = 0; at < body.size(); at += 50'000) {
    co_yield body.substr(at, 50'000);
    if (begun) co_await begun->wait();
  }
}

/// Gives back what comes, while it comes; a field says how that was framed.
Coro<web::Response> stream_back(web::Request& request) {
  web::Response head;
  head.header("Framing", request.content_length() ? "counted" : "chunked");
  web::StreamResponse stream(std::move(head));
  co_await stream.prepare(request);
  while (true) {
    std::string part(co_await request.read_some());
    if (part.empty()) break;
    co_await stream.write(part);
  }
  web::Response sent = co_await stream.write_eof();
  co_return sent;
}

Coro<std::string> upload(ClientSession session, std::string path, const std::string& body,
                         Event* begun) {
  ClientResponse response =
      co_await session.post(path, RequestOptions().data(in_pieces(body, begun)));
  std::string back = co_await response.read();
  EXPECT_EQ(response.status(), 200);
  EXPECT_TRUE(back == body) << path << back.size();
  co_return std::string(response.headers().get("Framing", "-"));
}

TEST_P(BehindNginx, D13_bodies_in_chunks_pass_at_once_or_when_they_are_there) {
  Event begun;
  web::Application app;
  app.post("/echo", [&begun](web::Request& request) {
    begun.set();
    return stream_back(request);
  });
  behind_nginx(std::move(app), [&begun](ClientSession session, const Served&) -> Coro<> {
    for (std::size_t size : {1, 3000, 3'000'000}) {
      const std::string body = pattern(size);
      std::string framing = co_await upload(session, "/echo", body, nullptr);
      EXPECT_EQ(framing, "counted") << "nginx has all of it before it asks";
      begun.clear();
      framing = co_await upload(session, "/unbuffered/echo", body, &begun);
      EXPECT_EQ(framing, "chunked");
    }
  });
}

Coro<web::Response> stream_much(web::Request& request) {
  const std::string piece = pattern(std::size_t{1} << 16);
  web::StreamResponse stream;
  co_await stream.prepare(request);
  for (std::size_t sent = 0; sent < kLarge; sent += piece.size()) co_await stream.write(piece);
  web::Response sent = co_await stream.write_eof();
  co_return sent;
}

TEST_P(BehindNginx, D13_large_answers_and_parts_of_files) {
  Folder folder;
  const std::string content = pattern(std::size_t{1} << 20);
  const std::string path = folder.write("large.bin", content);
  web::Application app;
  app.get("/stream", stream_much);
  app.get("/file", [&](web::Request& request) { return web::file_response(request, path); });
  behind_nginx(std::move(app), [&](ClientSession session, const Served&) -> Coro<> {
    std::string expected;
    while (expected.size() < kLarge) expected += pattern(std::size_t{1} << 16);
    for (std::string prefix : {"", "/unbuffered"}) {
      ClientResponse streamed = co_await session.get(prefix + "/stream");
      std::string body = co_await streamed.read();
      EXPECT_TRUE(body == expected) << prefix << body.size();
      std::string whole = co_await answer_to(session, prefix + "/file");
      EXPECT_TRUE(whole == "200 " + content) << prefix << whole.size();
      const RequestOptions middle = RequestOptions().header("Range", "bytes=1000-600999");
      std::string part = co_await answer_to(session, prefix + "/file", middle);
      EXPECT_TRUE(part == "206 " + content.substr(1000, 600'000)) << prefix << part.size();
      const RequestOptions end = RequestOptions().header("Range", "bytes=-1");
      part = co_await answer_to(session, prefix + "/file", end);
      EXPECT_TRUE(part == "206 " + content.substr(content.size() - 1)) << prefix << part.size();
      const RequestOptions beyond = RequestOptions().header("Range", "bytes=1048576-");
      part = co_await answer_to(session, prefix + "/file", beyond);
      EXPECT_TRUE(part.starts_with("416 ")) << prefix << part.substr(0, 100);
    }
  });
}

TEST_P(BehindNginx, D13_websockets_pass) {
  web::Application app;
  app.get("/ws", test::talk);
  behind_nginx(std::move(app), [](ClientSession session, const Served&) -> Coro<> {
    WebSocket ws = co_await session.ws_connect("/ws");
    for (std::size_t size : {0, 1, 125, 126, 65535, 65536, 300'000}) {
      const std::string bytes = pattern(size);
      co_await ws.send_bytes(bytes);
      std::string same = co_await ws.receive_bytes();
      EXPECT_TRUE(same == bytes) << size;
      co_await ws.send_str(std::to_string(size));
      same = co_await ws.receive_str();
      EXPECT_EQ(same, std::to_string(size));
    }
    co_await ws.send_str("close");
    http::WSMessage end = co_await ws.receive();
    EXPECT_EQ(end.type, WSMsgType::Close);
    EXPECT_EQ(end.close_code, WSCloseCode::TryAgainLater);
    EXPECT_EQ(end.data, "later");
  });
}

/// What its requests have come to, by their numbers.
class Traffic {
 public:
  explicit Traffic(ClientSession session) : session_(std::move(session)) {}

  /// Asks one after the other until it is told to stop.
  Coro<> ask() {
    while (!stopped) {
      int number = ++asked_;
      std::string answer = co_await answer_to(session_, "/" + std::to_string(number));
      if (answer == "200 " + std::to_string(number))
        answered.insert(number);
      else
        refused.insert(number);
    }
  }

  bool stopped = false;
  std::set<int> answered, refused;

 private:
  ClientSession session_;
  int asked_ = 0;
};

/// A handler that takes its time, and notes who came.
web::Application slow(std::set<int>& begun, int& inside) {
  web::Application app;
  app.get("/{n:int}", [&](web::Request&, int n) -> Coro<web::Response> {
    begun.insert(n);
    ++inside;
    co_await asyncio::sleep(5ms);
    --inside;
    co_return web::Response(std::to_string(n));
  });
  return app;
}

std::vector<Task<>> start(Traffic& traffic, int count) {
  std::vector<Task<>> asking;
  for (int i = 0; i < count; ++i) asking.push_back(create_task(traffic.ask()));
  return asking;
}

TEST_P(BehindNginx, S49_what_our_server_has_begun_is_answered_when_it_ends) {
  std::set<int> begun;
  int inside = 0;
  behind_nginx(slow(begun, inside), [&](ClientSession session, const Served& served) -> Coro<> {
    Traffic traffic(session);
    std::vector<Task<>> asking = start(traffic, 8);
    while (begun.size() < 200 || inside < 4) co_await asyncio::sleep(1ms);
    co_await served.cleanup();
    EXPECT_EQ(inside, 0);
    // Nobody is there any more, and nginx says so.
    while (traffic.refused.empty()) co_await asyncio::sleep(1ms);
    traffic.stopped = true;
    for (Task<>& task : asking) co_await task;
    EXPECT_EQ(traffic.answered, begun);
  });
}

TEST_P(BehindNginx, S49_no_request_is_lost_when_a_successor_takes_over) {
  std::set<int> begun, later;
  int inside = 0;
  behind_nginx(slow(begun, inside), [&](ClientSession session, const Served& served) -> Coro<> {
    web::AppRunner successor(slow(later, inside));
    co_await successor.setup();
    web::SockSite site(successor, served.runner().sockets().at(0).dup());
    Traffic traffic(session);
    std::vector<Task<>> asking = start(traffic, 8);
    while (begun.size() < 200 || inside < 4) co_await asyncio::sleep(1ms);
    co_await site.start();
    co_await served.cleanup();
    while (later.size() < 200) co_await asyncio::sleep(1ms);
    traffic.stopped = true;
    for (Task<>& task : asking) co_await task;
    EXPECT_EQ(traffic.refused, std::set<int>());
    EXPECT_EQ(traffic.answered.size(), begun.size() + later.size());
    co_await successor.cleanup();
  });
}

}  // namespace
