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

Coro<http::ClientResponse> in_session(http::ClientSession* session, http::URL url) {
  co_return co_await session->request(http::Method::GET, url);
}
Coro<http::ClientResponse> alone(http::ClientSession*, http::URL url) {
  co_return co_await http::request(http::Method::GET, url);
}

template <Coro<http::ClientResponse> (*ask)(http::ClientSession*, http::URL)>
class Request final : public Served {
 public:
  Coro<> operation() override {
    http::ClientResponse response = co_await ask(&*session_, url_ / "slow");
    std::string text = co_await response.text();
    require(text == "what /slow says", "a reply that belongs to another request");
  }
};

/// Of a server that takes a while, and then speaks no WebSocket.
class WebSocketConnect final : public Served {
 public:
  Coro<> operation() override {
    auto outcome = co_await capture(session_->ws_connect(url_ / "slow"));
    if (outcome.cancelled()) outcome.rethrow();
    require(!outcome.has_value(), "a WebSocket that nobody agreed to");
  }
};

/// The rest of a body, of which three bytes are there.
template <Coro<std::string> (*read)(http::ClientResponse)>
class ReadBody final : public Served {
 public:
  Coro<> prepare() override {
    co_await Served::prepare();
    response_ = co_await session_->get(url_ / "halves");
    start_ = co_await response_->content().read(3);
  }
  Coro<> operation() override {
    std::string text = start_;
    text += co_await read(*response_);
    require(text == "what /halves says", "bytes of a body are lost or doubled");
  }

 private:
  std::optional<http::ClientResponse> response_;
  std::string start_;
};

Coro<std::string> text_of(http::ClientResponse response) { co_return co_await response.text(); }
Coro<std::string> some_of(http::ClientResponse response) {
  co_return co_await response.read_some();
}
Coro<std::string> bytes_of(http::ClientResponse response) {
  co_return co_await response.content().read(100);
}
Coro<std::string> line_of(http::ClientResponse response) {
  co_return co_await response.content().readline();
}
Coro<std::string> pieces_of(http::ClientResponse response) {
  std::string all;
  auto pieces = response.content().iter_chunked(4);
  while (auto piece = co_await pieces.next()) all += *piece;
  co_return all;
}

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
    socket_ = co_await session_->ws_connect("http://127.0.0.1:" + std::to_string(port) + "/ws",
                                            http::WebSocketOptions().compress(false));
  }
  void complete() override { open_.set(); }

 protected:
  Coro<> finish() {
    socket_.reset();
    session_->close();
    co_await runner_->cleanup();
  }

  EventLoop loop_ = get_running_loop();
  Event open_;
  std::optional<web::AppRunner> runner_;
  std::optional<http::ClientSession> session_;
  std::optional<http::WebSocket> socket_;
};

template <Coro<std::string> (*receive)(http::WebSocket)>
class WebSocketReceive final : public Chat {
 public:
  Coro<> operation() override { got_ = co_await receive(*socket_); }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await receive(*socket_);
    const bool gone = got_.empty() && socket_->closed();  // with the loop, or without memory
    if (gone || loop_.is_closed()) co_return;
    require(got_ == "said", "a message is lost or doubled");
    co_await socket_->send_str("echo");
    std::string echo = co_await socket_->receive_str();
    require(echo == "echo", "a message is lost or doubled");
    co_await finish();
  }

 private:
  std::string got_;
};

Coro<std::string> receive_any(http::WebSocket socket) {
  http::WSMessage message = co_await socket.receive();
  co_return message.data;
}
Coro<std::string> receive_str(http::WebSocket socket) { co_return co_await socket.receive_str(); }
Coro<std::string> receive_next(http::WebSocket socket) {
  auto message = co_await socket.next();
  co_return message ? message->data : std::string();
}

/// To a server that does not read yet; what was sent comes whole, also if the wait was cancelled.
class WebSocketSend final : public Chat {
 public:
  Coro<> operation() override {
    for (; sent_ < kMessages; ++sent_) co_await socket_->send_str(message_);
  }
  void complete() override {
    Chat::complete();
    if (!receiving_) receiving_.emplace(create_task(receive_all()));  // what the server echoes
  }
  Coro<> use_again() override {
    complete();
    co_await socket_->send_str("end");
    co_await *receiving_;
    co_await finish();
  }

 private:
  static constexpr int kMessages = 16;
  const std::string message_ = std::string(simulated() ? 1 << 16 : 1 << 20, 'x');

  Coro<> receive_all() {
    std::string got = co_await socket_->receive_str();
    require(got == "said", "a message is lost or doubled");
    int count = 0;
    for (got = message_; got == message_; ++count) got = co_await socket_->receive_str();
    require(got == "end", "a part of a message");
    require(count > sent_ && count <= sent_ + 2, "a message is lost or doubled");
  }
  int sent_ = 0;
  std::optional<Task<>> receiving_;
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

constexpr auto kCoroutine = AwaitableKind::coroutine;

constexpr Entry kEntries[] = {
    {"http_request", kCoroutine, make<Request<in_session>>, On::every_loop, true},
    {"http_request_alone", kCoroutine, make<Request<alone>>, On::every_loop, true},
    {"http_read_body", kCoroutine, make<ReadBody<text_of>>, On::every_loop, true},
    {"http_read_some", kCoroutine, make<ReadBody<some_of>>, On::every_loop, true},
    {"http_content_read", kCoroutine, make<ReadBody<bytes_of>>, On::every_loop, true},
    {"http_content_readline", kCoroutine, make<ReadBody<line_of>>, On::every_loop, true},
    {"http_iter_chunked", kCoroutine, make<ReadBody<pieces_of>>, On::every_loop, true},
    {"http_wait_for_connection", kCoroutine, make<WaitForConnection>, On::every_loop, true},
    {"websocket_connect", kCoroutine, make<WebSocketConnect>, On::every_loop, true},
    {"websocket_receive", kCoroutine, make<WebSocketReceive<receive_str>>, On::every_loop, true},
    {"websocket_receive_any", kCoroutine, make<WebSocketReceive<receive_any>>, On::every_loop,
     true},
    {"websocket_next", kCoroutine, make<WebSocketReceive<receive_next>>, On::every_loop, true},
    {"websocket_send", kCoroutine, make<WebSocketSend>, On::simulated, true},
    {"websocket_close", kCoroutine, make<WebSocketClose>, On::every_loop, true},
};

}  // namespace

std::span<const Entry> http_entries() { return kEntries; }

}  // namespace sweep
