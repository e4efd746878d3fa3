// SPDX-License-Identifier: BSL-1.0
// What a StreamReader, a StreamWriter and a Server have to be awaited, one by one.
#include "connected_case.hpp"
#include "descriptors.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kLine = "123456\n";

/// Reads a part of a line and its end; `begun` bytes of it are there at the beginning. What comes
/// behind `much` bytes is not received before the reader's turn.
template <Coro<std::string> (*read)(StreamReader), std::size_t begun, std::size_t much = 0>
class Reads final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    if (much > 0) {
      co_await peer_writer_->send(std::string(much, 'x'));
      co_await reader_->readexactly(much);
    }
    peer_writer_->write(kLine.substr(0, begun));
  }
  Coro<> operation() override { got_ = co_await read(*reader_); }
  void complete() override {
    if (std::exchange(written_, true)) return;
    peer_writer_->write(kLine.substr(begun));
    peer_writer_->write_eof();
  }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await read(*reader_);
    std::string rest = co_await reader_->read();
    require(kLine.starts_with(got_ + rest), "bytes are doubled or in disorder");
    require(got_ + rest == kLine || loop_.is_closed(), "bytes are lost");
  }

 private:
  EventLoop loop_ = get_running_loop();  // closes the connection when it closes
  bool written_ = false;
  std::string got_;
};

Coro<std::string> some_of(StreamReader reader) { co_return co_await reader.read(4); }
Coro<std::string> all_of(StreamReader reader) { co_return co_await reader.read(); }
Coro<std::string> into_of(StreamReader reader) {
  std::string room(5, '\0');
  std::size_t count = co_await reader.read_into(std::span<char>(room));
  room.resize(count);
  co_return room;
}
Coro<std::string> line_of(StreamReader reader) { co_return co_await reader.readline(); }
Coro<std::string> until_of(StreamReader reader) { co_return co_await reader.readuntil("6"); }
Coro<std::string> view_of(StreamReader reader) {
  std::string_view view = co_await reader.readuntil_view("6");
  co_return std::string(view);
}
Coro<std::string> next_of(StreamReader reader) {
  auto line = co_await reader.next();
  co_return line.value_or("");
}

class Sends final : public Connected {
 public:
  Coro<> operation() override {
    begun_ = true;
    try {
      co_await writer_->send(std::string(too_much_, 'x'));
    } catch (const std::bad_alloc&) {
      begun_ = false;  // it has sent nothing, then
      throw;
    }
  }
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }
  Coro<> use_again() override {
    complete();
    if (!begun_) co_await operation();
    std::string bytes = co_await *reading_;
    require(bytes == std::string(too_much_, 'x'), "bytes are lost or doubled");
    co_await writer_->send("");
  }

 private:
  Coro<std::string> read_all() { co_return co_await peer_reader_->readexactly(too_much_); }
  bool begun_ = false;
  std::optional<Task<std::string>> reading_;
};

/// A file, of which a part may have been sent if that is cancelled.
class SendsFile final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    file_.emplace(std::string(too_much_, 'x'));
  }
  Coro<> operation() override {
    EventLoop loop = get_running_loop();
    co_await loop.sendfile(*writer_, file_->fd);
    is_sent_ = true;
  }
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }
  Coro<> use_again() override {
    complete();
    writer_->write("end");
    writer_->close();
    std::string bytes = co_await *reading_;
    if (loop_.is_closed()) co_return;  // and with it the connection
    const std::size_t count = bytes.find_first_not_of('x');
    require(bytes.substr(std::min(count, bytes.size())) == "end", "bytes are lost or in disorder");
    require(count <= too_much_ && (!is_sent_ || count == too_much_), "bytes are lost or doubled");
  }

 private:
  Coro<std::string> read_all() { co_return co_await peer_reader_->read(); }

  EventLoop loop_ = get_running_loop();
  std::optional<test::TemporaryFile> file_;
  bool is_sent_ = false;
  std::optional<Task<std::string>> reading_;
};

/// Both ends of a pipe of the system.
class Piped : public Case {
 public:
  Coro<> prepare() override {
    int ends[2];
    require(::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0, "no pipe");
    reader_ = co_await connect_read_pipe(ends[0]);
    writer_ = co_await connect_write_pipe(ends[1]);
  }

 protected:
  StreamReader& far_reader() { return *reader_; }
  std::optional<StreamReader> reader_;
  std::optional<StreamWriter> writer_;
  static constexpr std::size_t too_much_ = 1 << 18;
};

class PipeRead final : public Piped {
 public:
  Coro<> operation() override { got_ = co_await reader_->readline(); }
  void complete() override {
    if (!std::exchange(written_, true)) writer_->write(kLine);
  }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await reader_->readline();
    require(got_ == kLine || loop_.is_closed(), "bytes are lost or doubled");
  }

 private:
  EventLoop loop_ = get_running_loop();  // closes the pipe when it closes
  bool written_ = false;
  std::string got_;
};

class ServeForever final : public Connected {
 public:
  Coro<> operation() override {
    try {
      co_await server_->serve_forever();
    } catch (const CancelledError&) {  // as close() ends it
      if (current_task()->cancelling() > 0) throw;
    }
  }
  void complete() override {
    server_->close();
    server_->abort_clients();
  }
  bool ends_at_once() const override { return false; }  // its connection has to end
  Coro<> use_again() override {
    complete();
    co_await server_->wait_closed();
    require(!server_->is_serving(), "closed, but serving");
  }
};

class ServerShutdown final : public Connected {
 public:
  Coro<> prepare() override {
    co_await Connected::prepare();
    co_await writer_->send("a question");  // which the handler leaves unanswered
    co_await peer_reader_->readexactly(10);
  }
  Coro<> operation() override { co_await server_->shutdown(24h); }
  void complete() override { server_->abort_clients(); }
  Coro<> use_again() override {
    complete();
    co_await server_->shutdown(24h);
    require(!server_->is_serving(), "shut down, but serving");
  }
};

class StartServing final : public Connected {
 public:
  Coro<> prepare() override {
    auto refuse = [](StreamReader, StreamWriter writer) { writer.close(); };
    server_ = co_await start_server(refuse, "127.0.0.1", 0, ServerOptions().start_serving(false));
    port_ = server_->sockets().front().port();
  }
  Coro<> operation() override { co_await server_->start_serving(); }
  void complete() override {}
  Coro<> use_again() override {
    co_await server_->start_serving();
    auto [reader, writer] = co_await open_connection("127.0.0.1", port_);
    std::string nothing = co_await reader.read();
    require(nothing.empty(), "bytes that nobody sent");
    writer.close();
  }

 private:
  std::uint16_t port_ = 0;
};

constexpr auto kRead = AwaitableKind::stream_read;

constexpr Entry kEntries[] = {
    {"read_some", kRead, make<Reads<some_of, 0>>},
    {"read_all", kRead, make<Reads<all_of, 3>>},
    {"read_after_much", kRead, make<Reads<some_of, 0, 5000>>},
    {"read_into", kRead, make<Reads<into_of, 0>>},
    {"readline", kRead, make<Reads<line_of, 3>>},
    {"readline_after_much", kRead, make<Reads<line_of, 0, 5000>>},
    {"readuntil", kRead, make<Reads<until_of, 3>>},
    {"readuntil_view", kRead, make<Reads<view_of, 3>>},
    {"reader_next", kRead, make<Reads<next_of, 3>>},
    {"send", AwaitableKind::stream_drain, make<Sends>, On::simulated},
    {"sendfile", AwaitableKind::stream_drain, make<SendsFile>, On::system},
    {"pipe_read", kRead, make<PipeRead>, On::system},
    {"pipe_drain", AwaitableKind::stream_drain, make<Drains<Piped>>, On::system},
    {"serve_forever", AwaitableKind::server_wait_closed, make<ServeForever>},
    {"server_shutdown", AwaitableKind::server_wait_closed, make<ServerShutdown>},
    {"start_serving", AwaitableKind::coroutine, make<StartServing>, On::system},
};

}  // namespace

std::span<const Entry> stream_entries() { return kEntries; }

}  // namespace sweep
