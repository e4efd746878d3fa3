// SPDX-License-Identifier: BSL-1.0
// What a handler awaits of its request and its response, and the end of a server.
#include "asyncio/web.hpp"
#include "folder.hpp"
#include "sweep_case.hpp"

#include <optional>
#include <string>
#include <utility>

namespace sweep {

using namespace asyncio;

namespace {

/// A request that has come to its handler, which waits for the case. The client is a connection.
class Handled : public Case {
 public:
  Coro<> prepare() override {
    web::Application app;
    app.post("/", [this](web::Request& request) { return handle(&request); });
    app.get("/", [this](web::Request& request) { return handle(&request); });
    app.get("/files/{name...}", [this](web::Request& request) { return handle(&request); });
    app.get("/filler", [this](web::Request&) { return fill(); });
    runner_.emplace(std::move(app));
    co_await runner_->setup();
    web::TCPSite site(*runner_, "127.0.0.1", 0);
    co_await site.start();
    auto ends = co_await open_connection("127.0.0.1", runner_->addresses().at(0).port());
    reader_ = ends.first;
    writer_ = ends.second;
  }

 protected:
  /// What a client says before the body.
  Coro<> ask(std::string_view type, std::size_t size) {
    writer_->write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(type) +
                   "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    co_await arrived_.wait();
  }
  /// Lets the handler go, and the server.
  Coro<> finish() {
    leave_.set();
    writer_->close();
    co_await runner_->cleanup();
  }

  std::optional<web::AppRunner> runner_;
  std::optional<StreamReader> reader_;
  std::optional<StreamWriter> writer_;
  web::Request* request_ = nullptr;  // while the handler lives
  Event arrived_;
  Event leave_;
  int fillers_ = 0;

 private:
  Coro<web::Response> fill() {
    ++fillers_;
    co_return web::Response(std::string(4000, 'x'));
  }
  Coro<web::Response> handle(web::Request* request) {
    struct Visit {
      explicit Visit(web::Request*& place) : request(place) {}
      ~Visit() { request = nullptr; }
      web::Request*& request;
    };
    request_ = request;
    Visit visit(request_);
    arrived_.set();
    co_await leave_.wait();
    co_return web::Response();
  }
};

// --- Bodies of requests --------------------------------------------------------------------------

constexpr std::string_view kForm = "application/x-www-form-urlencoded";
constexpr std::string_view kParts = "multipart/form-data; boundary=X";

/// A body, of which `begun` bytes are there at the beginning, and how it is read.
struct Body {
  const char* text;
  std::size_t begun;
  std::string_view type;
  const char* got;
};
constexpr Body kSome = {"abcdef", 0, kForm, "abcdef"};
constexpr Body kWhole = {"abcdef", 3, kForm, "abcdef"};
constexpr Body kFields = {"name=value", 3, kForm, "value"};
constexpr char kPartsText[] =
    "--X\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nvalue\r\n--X--\r\n";
constexpr Body kPartsForm = {kPartsText, 60, kParts, "value"};

/// A body that is read in one way; after a cancellation it can be read again.
template <Coro<std::string> (*read)(web::Request*), const Body& body>
class ReadsBody final : public Handled {
 public:
  Coro<> prepare() override {
    co_await Handled::prepare();
    co_await ask(body.type, std::string_view(body.text).size());
    writer_->write(std::string_view(body.text).substr(0, body.begun));
  }
  Coro<> operation() override { got_ = co_await read(request_); }
  void complete() override {
    if (!std::exchange(written_, true))
      writer_->write(std::string_view(body.text).substr(body.begun));
  }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    if (got_.empty()) got_ = co_await read(request_);
    require(got_ == body.got, "bytes of a body are lost or doubled");
    co_await finish();
  }

 private:
  bool written_ = false;
  std::string got_;
};

Coro<std::string> some_of(web::Request* request) {
  std::string_view some = co_await request->read_some();
  co_return std::string(some);
}
Coro<std::string> all_of(web::Request* request) { co_return co_await request->read(); }
Coro<std::string> field_of(web::Request* request) {
  web::PostData form = co_await request->post();
  co_return std::string(form.get("name").value_or(""));
}

/// A part of a body made of parts, of which there is the beginning: of its head, or of its text.
template <std::size_t begun>
class ReadsPart final : public Handled {
 public:
  Coro<> prepare() override {
    co_await Handled::prepare();
    co_await ask(kPartsForm.type, std::string_view(kPartsForm.text).size());
    writer_->write(std::string_view(kPartsText).substr(0, begun));
    parts_.emplace(request_->multipart());
  }
  Coro<> operation() override {
    if (!part_) co_await next();
    value_ = co_await part_->read();
  }
  void complete() override {
    if (!std::exchange(written_, true)) writer_->write(std::string_view(kPartsText).substr(begun));
  }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    if (value_.empty()) co_await operation();
    require(part_->name() == "name", "a part is lost");
    require(value_ == "value", "bytes of a part are lost or doubled");
    auto end = co_await parts_->next();
    require(!end, "a part that nobody sent");
    co_await finish();
  }

 private:
  Coro<> next() {
    auto part = co_await parts_->next();
    if (part) part_.emplace(std::move(*part));
  }
  bool written_ = false;
  std::optional<web::MultipartReader> parts_;
  std::optional<web::BodyPart> part_;
  std::string value_;
};

// --- Bodies of responses -------------------------------------------------------------------------

/// A client that does not read, and what is too much for its connection.
class Streams : public Handled {
 public:
  Coro<> prepare() override {
    co_await Handled::prepare();
    co_await ask_for_much();
  }
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }

 protected:
  virtual Coro<> ask_for_much() { co_await ask(kForm, 0); }
  Coro<> read_all() {
    try {
      for (std::string some = "x"; !some.empty();) some = co_await reader_->read(1 << 20);
    } catch (const OSError&) {
      // Of a response that was cut short.
    }
    writer_->close();
  }
  const std::string much_ = std::string(simulated() ? 1 << 20 : 16 << 20, 'x');
  std::optional<Task<>> reading_;
};

template <class Stream, auto write>
class WritesStream final : public Streams {
 public:
  Coro<> prepare() override {
    co_await Streams::prepare();
    co_await stream_.prepare(*request_);
  }
  Coro<> operation() override { co_await write(&stream_, &much_); }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    co_await write(&stream_, &much_);
    co_await stream_.write_eof();
    co_await finish();
    co_await *reading_;
  }

 private:
  Stream stream_;
};

Coro<> write(web::StreamResponse* stream, const std::string* text) {
  co_await stream->write(*text);
}
Coro<> send_event(web::EventSourceResponse* stream, const std::string* text) {
  co_await stream->send(web::ServerEvent(*text));
}

/// Sends a file with much in it.
class SendsFile : public Streams {
 public:
  Coro<> prepare() override {
    co_await Streams::prepare();
    folder_.write("much", much_);
  }
  Coro<> operation() override {
    auto response = co_await web::file_response(*request_, folder_.file("much"));
    (void)response;
  }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    co_await finish();
    co_await *reading_;
  }

 protected:
  test::Folder folder_;
};

class SendsFromFolder final : public SendsFile {
 public:
  Coro<> operation() override {
    const auto files = web::StaticFiles(folder_.path());
    auto response = co_await files(*request_);
    (void)response;
  }

 private:
  Coro<> ask_for_much() override {
    writer_->write("GET /files/much HTTP/1.1\r\nHost: localhost\r\n\r\n");
    co_await arrived_.wait();
  }
};

/// The client reads none of the answers before that one, whose head has no room.
class Crowded : public Handled {
 public:
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }

 protected:
  Coro<> ask_last(std::string request) {
    co_await Handled::prepare();
    const int room = co_await count_fillers();
    for (int i = 1; i < room; ++i) writer_->write(kFiller);
    writer_->write(request);
    co_await arrived_.wait();
  }
  Coro<std::string> rest() {
    leave_.set();
    co_return co_await *reading_;
  }

  const std::string much_ = std::string(6000, 'p');

 private:
  static constexpr std::string_view kFiller = "GET /filler HTTP/1.1\r\nHost: h\r\n\r\n";

  /// As many requests as the server takes from a client that does not read.
  Coro<int> count_fillers() {
    auto ends = co_await open_connection("127.0.0.1", runner_->addresses().at(0).port());
    for (int i = 0; i < 200; ++i) ends.second.write(kFiller);
    for (int seen = -1; seen < fillers_;) {
      seen = fillers_;
      co_await sleep(std::chrono::seconds(1));
    }
    ends.second.abort();
    co_return std::exchange(fillers_, 0);
  }
  Coro<std::string> read_all() {
    std::string text;
    for (std::string some = "x"; !some.empty();) {
      some = co_await reader_->read(1 << 20);
      text += some;
    }
    writer_->close();
    co_return text;
  }

  std::optional<Task<std::string>> reading_;
};

/// Fault 138.
class Upgrades final : public Crowded {
 public:
  Coro<> prepare() override {
    options_.protocols(much_);
    co_await ask_last(
        "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Protocol: " +
        much_ + "\r\n\r\n");
  }
  Coro<> operation() override { socket_ = co_await web::websocket(*request_, options_); }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    auto again = co_await capture(web::websocket(*request_, options_));
    require(again.has_value() || again.holds<RuntimeError>(), "another error");
    require(!again || !socket_, "an upgrade is answered twice");
    if (again) socket_ = std::move(again).value();
    if (socket_) co_await socket_->send_str("said");
    std::string text = co_await rest();
    const std::size_t at = text.find("HTTP/1.1 101");
    require(at != std::string::npos && at == text.rfind("HTTP/1.1 101"), "not one answer");
    const bool said = text.find("\x81\x04said") != std::string::npos;
    require(said == socket_.has_value(), "a message is lost, or there is one");
    co_await finish();
  }

 private:
  http::WebSocketOptions options_;
  std::optional<http::WebSocket> socket_;
};

class PreparesStream final : public Crowded {
 public:
  Coro<> prepare() override {
    stream_.head().header("X-Much", much_);
    co_await ask_last("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }
  Coro<> operation() override { co_await stream_.prepare(*request_); }
  Coro<> use_again() override {
    complete();
    if (!request_) co_return;  // gone with the loop
    auto again = co_await capture(stream_.prepare(*request_));
    require(again.has_value() || again.holds<RuntimeError>(), "another error");
    co_await stream_.write("said");
    co_await stream_.write_eof();
    std::string text = co_await rest();
    const std::size_t at = text.find("X-Much");
    require(at != std::string::npos && at == text.rfind("X-Much"), "not one answer");
    require(text.find("said") != std::string::npos, "what was written is lost");
    co_await finish();
  }

 private:
  web::StreamResponse stream_;
};

/// Waits for a handler that has something to answer, and a moment that has to pass.
class Cleanup final : public Streams {
 public:
  Coro<> operation() override { co_await runner_->cleanup(); }
  void complete() override {
    leave_.set();
    if (!reading_) reading_.emplace(create_task(read_all()));
  }
  bool ends_at_once() const override { return false; }
  Coro<> use_again() override {
    complete();
    co_await runner_->cleanup();
    require(runner_->addresses().empty(), "it listens after its end");
    co_await *reading_;
  }
};

constexpr auto kCoroutine = AwaitableKind::coroutine;

// Of the simulated loop alone, where no connection fails: a request is used beside its handler.
constexpr Entry kEntries[] = {
    {"request_read_some", kCoroutine, make<ReadsBody<some_of, kSome>>, On::simulated, true, true},
    {"request_read", kCoroutine, make<ReadsBody<all_of, kWhole>>, On::simulated, true, true},
    {"request_post", kCoroutine, make<ReadsBody<field_of, kFields>>, On::simulated, true, true},
    {"request_multipart", kCoroutine, make<ReadsBody<field_of, kPartsForm>>, On::simulated, true,
     true},
    {"multipart_next", kCoroutine, make<ReadsPart<20>>, On::simulated, true, true},
    {"body_part_read", kCoroutine, make<ReadsPart<58>>, On::simulated, true, true},
    {"stream_write", kCoroutine, make<WritesStream<web::StreamResponse, write>>, On::simulated,
     true},
    {"event_source_send", kCoroutine, make<WritesStream<web::EventSourceResponse, send_event>>,
     On::simulated, true},
    {"request_websocket", kCoroutine, make<Upgrades>, On::simulated, true, true},
    {"request_stream_prepare", kCoroutine, make<PreparesStream>, On::simulated, true, true},
    {"file_response", kCoroutine, make<SendsFile>, On::simulated, true, true},
    {"static_files", kCoroutine, make<SendsFromFolder>, On::simulated, true, true},
    {"app_cleanup", kCoroutine, make<Cleanup>, On::system, true},
};

}  // namespace

std::span<const Entry> web_entries() { return kEntries; }

}  // namespace sweep
