// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client.hpp"
#include "asyncio/web.hpp"
#include "sweep_case.hpp"

#include <optional>
#include <string>

namespace sweep {

using namespace asyncio;

namespace {

/// A client's session and a server on the same loop. What is asked for at /slow waits for
/// `complete`, in the middle of its body at /halves.
class Served : public Case {
 public:
  explicit Served(http::SessionOptions options = {}) : options_(std::move(options)) {}

  Coro<> prepare() override {
    auto handler = [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      co_await serve(reader, writer);
    };
    server_ = co_await start_server(handler, "127.0.0.1", 0);
    const std::uint16_t port = server_->sockets().front().port();
    url_ = http::URL("http://127.0.0.1:" + std::to_string(port));
    session_.emplace(options_);
  }
  void complete() override { open_.set(); }
  Coro<> use_again() override {
    complete();
    std::string text = co_await text_of("again");
    require(text == "what /again says", "a reply that belongs to another request");
    session_->close();
  }

 protected:
  Coro<std::string> text_of(std::string name) {
    http::ClientResponse response = co_await session_->get(url_ / name);
    std::string text = co_await response.text();
    co_return text;
  }

  http::URL url_;
  std::optional<http::ClientSession> session_;

 private:
  Coro<> serve(StreamReader reader, StreamWriter writer) {
    for (;;) {
      auto head = co_await capture(reader.readuntil("\r\n\r\n"));
      if (head.cancelled()) head.rethrow();
      if (!head) co_return;
      const std::string path = head.value().substr(4, head.value().find(' ', 4) - 4);
      const std::string body = "what " + path + " says";
      if (path == "/slow") co_await open_.wait();
      writer.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) +
                   "\r\n\r\n" + body.substr(0, 3));
      if (path == "/halves") co_await open_.wait();
      writer.write(body.substr(3));
    }
  }

  http::SessionOptions options_;
  Event open_;
  std::optional<Server> server_;
};

class Request final : public Served {
 public:
  Coro<> operation() override {
    std::string text = co_await text_of("slow");
    require(text == "what /slow says", "a reply that belongs to another request");
  }
};

class ReadBody final : public Served {
 public:
  Coro<> prepare() override {
    co_await Served::prepare();
    response_ = co_await session_->get(url_ / "halves");
  }
  Coro<> operation() override {
    std::string text = co_await response_->text();
    require(text == "what /halves says", "bytes of a body are lost or doubled");
  }

 private:
  std::optional<http::ClientResponse> response_;
};

/// Waits for the only connection, which another request has.
class WaitForConnection final : public Served {
 public:
  WaitForConnection() : Served(http::SessionOptions().limit(1)) {}

  Coro<> prepare() override {
    co_await Served::prepare();
    first_ = create_task(text_of("slow"));
    co_await sleep(std::chrono::milliseconds(1));
  }
  Coro<> operation() override {
    std::string text = co_await text_of("second");
    require(text == "what /second says", "a reply that belongs to another request");
  }
  Coro<> use_again() override {
    complete();
    std::string text = co_await *first_;
    require(text == "what /slow says", "another request is lost");
    co_await Served::use_again();
  }

 private:
  std::optional<Task<std::string>> first_;
};

/// A WebSocket whose server says something, and answers the goodbye, when it may.
class Chat : public Case {
 public:
  Coro<> prepare() override {
    web::Application app;
    app.get("/ws", [this](web::Request& request) -> Coro<web::Response> {
      http::WebSocket ws = co_await web::websocket(request);
      co_await open_.wait();
      co_await ws.send_str("said");
      while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
      co_return web::Response();
    });
    runner_.emplace(std::move(app));
    co_await runner_->setup();
    web::TCPSite site(*runner_, "127.0.0.1", 0);
    co_await site.start();
    session_.emplace();
    const std::uint16_t port = runner_->addresses().at(0).port();
    socket_ = co_await session_->ws_connect("http://127.0.0.1:" + std::to_string(port) + "/ws");
  }
  void complete() override { open_.set(); }

 protected:
  Coro<> finish() {
    socket_.reset();
    session_->close();
    co_await runner_->cleanup();
  }

  Event open_;
  std::optional<web::AppRunner> runner_;
  std::optional<http::ClientSession> session_;
  std::optional<http::WebSocket> socket_;
};

class WebSocketReceive final : public Chat {
 public:
  Coro<> operation() override { got_ = co_await socket_->receive_str(); }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await socket_->receive_str();
    require(got_ == "said", "a message is lost or doubled");
    co_await socket_->send_str("echo");
    std::string echo = co_await socket_->receive_str();
    require(echo == "echo", "a message is lost or doubled");
    co_await finish();
  }

 private:
  std::string got_;
};

class WebSocketClose final : public Chat {
 public:
  Coro<> operation() override { co_await socket_->close(); }
  Coro<> use_again() override {
    complete();
    co_await socket_->close();
    require(socket_->closed(), "a WebSocket that was closed is open");
    co_await finish();
  }
};

constexpr Entry kEntries[] = {
    {"http_request", AwaitableKind::coroutine, make<Request>, On::every_loop, true},
    {"http_read_body", AwaitableKind::coroutine, make<ReadBody>, On::every_loop, true},
    {"http_wait_for_connection", AwaitableKind::coroutine, make<WaitForConnection>, On::every_loop,
     true},
    {"websocket_receive", AwaitableKind::coroutine, make<WebSocketReceive>, On::every_loop, true},
    {"websocket_close", AwaitableKind::coroutine, make<WebSocketClose>, On::every_loop, true},
};

}  // namespace

std::span<const Entry> http_entries() { return kEntries; }

}  // namespace sweep
