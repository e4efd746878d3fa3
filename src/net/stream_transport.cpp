// SPDX-License-Identifier: BSL-1.0
// Transports that have a protocol. Order and messages follow asyncio/selector_events.py,
// _SelectorSocketTransport, and unix_events.py.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/transport_calls.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/task.hpp"
#include "asyncio/transports.hpp"
#include "connection_transport.hpp"
#include "protocol_calls.hpp"
#include "tls_layer.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

/// A connection whose bytes go to a protocol. Writing and closing are the Connection's; reading is
/// here, with an operation of its own.
class StreamTransport final : public ConnectionTransport,
                              public ConnectionUser,
                              public std::enable_shared_from_this<StreamTransport> {
 public:
  StreamTransport(Ref<Connection> connection, std::shared_ptr<BaseProtocol> protocol)
      : ConnectionTransport(std::move(connection)), reading_(*this), begin_(*this) {
    StreamTransport::set_protocol(std::move(protocol));
    reading_.fd = connection_->fileno();
  }

  /// Alive from here to connection_lost.
  void start() {
    hold();
    loop().call_ready(begin_);
  }

  /// The same for a protocol that has had its connection_made; nothing is read before `resume`.
  void hold() {
    self_ = shared_from_this();
    connection_->set_user(this);
    connection_->set_transport(self_);
  }
  void resume() {
    reads_ = true;
    or_end([this] { ask_if_reading(); });
  }

  /// Another transport has the connection from now on.
  void retire() noexcept {
    stop_reading();
    begin_.unlink();
    retired_ = true;
    protocol_.reset();
    self_.reset();
  }

  void close() override {
    stop_reading();
    ConnectionTransport::close();
  }
  void abort() override {
    stop_reading();
    ConnectionTransport::abort();
  }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override {
    stream_protocol_ = dynamic_cast<StreamProtocol*>(protocol.get());
    plain_ = dynamic_cast<Protocol*>(protocol.get());
    buffered_ = dynamic_cast<BufferedProtocol*>(protocol.get());
    if (!stream_protocol_)
      throw TypeError("a Protocol or BufferedProtocol is needed for this transport");
    check_not_retired();
    protocol_ = std::move(protocol);
  }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }

  bool is_reading() const noexcept override { return !is_closing() && !paused_ && !retired_; }
  void pause_reading() override {
    if (!is_reading()) return;
    paused_ = true;
    stop_reading();
  }
  void resume_reading() override {
    if (is_closing() || retired_ || !std::exchange(paused_, false)) return;
    or_end([this] { ask(); });
  }

 private:
  struct Reading : Operation {
    explicit Reading(StreamTransport& owner) noexcept
        : Operation(&on_readable, Opcode::poll_readable), transport(owner) {
      stream = true;
    }
    StreamTransport& transport;
    bool pending = false;
  };
  struct Node : Ready {
    explicit Node(StreamTransport& owner) noexcept : Ready(&on_begin), transport(owner) {}
    StreamTransport& transport;
  };

  Loop& loop() const noexcept { return connection_->loop(); }

  static void on_begin(Ready& node) {
    auto self = static_cast<Node&>(node).transport.shared_from_this();
    Medium medium = self->connection_->medium();
    self->or_end([&] {
      call_protocol(self->loop(), "protocol.connection_made() call failed.",
                    [&] { self->stream_protocol_->connection_made(self); });
      self->reads_ = medium == Medium::socket || medium == Medium::read_pipe;
      self->ask_if_reading();
    });
  }

  /// A step that the loop takes. Without the memory for it the connection ends, as by any error.
  template <class F>
  void or_end(F step) {
    try {
      step();
    } catch (const std::bad_alloc&) {
      stop_reading();
      connection_->fail(std::current_exception());
    }
  }

  void ask_if_reading() {
    if (is_reading()) ask();
  }
  /// Waits for bytes.
  void ask() {
    if (!reads_ || reading_.pending || at_end_) return;
    if (connection_->tls()) return start_decrypting();
    reading_.pending = true;
    if (connection_->backend().start(reading_)) loop().call_ready(reading_);
  }
  void stop_reading() noexcept {
    if (std::exchange(reading_.pending, false)) connection_->backend().forget(reading_);
    if (decrypting_) std::exchange(decrypting_, std::nullopt)->cancel();
  }

  static void on_readable(Ready& node) {
    Reading& reading = static_cast<Reading&>(static_cast<Operation&>(node));
    auto self = reading.transport.shared_from_this();
    reading.pending = false;
    if (!self->is_reading()) return;
    self->or_end([&] {
      if (reading.result < 0)
        self->read_failed(static_cast<int>(-reading.result));
      else if (self->buffered_)
        self->read_into_buffer();
      else
        self->read_bytes();
      self->ask_if_reading();
    });
  }

  // Over TLS bytes have to pass the connection: a task reads them.
  void start_decrypting() {
    if (!decrypting_)
      decrypting_ = loop().handle().create_task(&StreamTransport::decrypt, shared_from_this());
  }
  static Coro<void> decrypt(std::shared_ptr<StreamTransport> self) {
    StreamReader reader(self->connection_);
    while (self->is_reading() && !self->at_end_) {
      std::string data;
      try {
        data = co_await reader.read(Backend::kScratchSize);
      } catch (const std::bad_alloc&) {
        co_return self->connection_->fail(std::current_exception());
      } catch (const std::exception&) {
        co_return;  // connection_lost tells
      }
      self->decrypted(std::move(data));
    }
  }
  void decrypted(std::string data) {
    if (data.empty()) return read_ended(0);
    if (buffered_) return copy_into_buffers(data);
    check("protocol.data_received() call failed.", [&] { plain_->data_received(std::move(data)); });
  }
  void copy_into_buffers(std::string_view data) {
    while (!data.empty() && buffered_ && !is_closing()) {
      std::span<char> room = next_buffer();
      if (room.empty()) return;
      std::size_t count = data.copy(room.data(), room.size());
      data.remove_prefix(count);
      check("protocol.buffer_updated() call failed.", [&] { buffered_->buffer_updated(count); });
    }
  }

  std::int64_t receive(std::span<char> room) {
    bool socket = connection_->medium() == Medium::socket;
    Operation recv(nullptr, socket ? Opcode::recv : Opcode::read, connection_->fileno());
    recv.stream = true;
    recv.buffer = room.data();
    recv.size = room.size();
    return connection_->backend().attempt(recv);
  }

  void read_bytes() {
    // Bytes of the protocol's own: its callback may use the backend, and with it the scratch room.
    std::span<char> room(connection_->backend().scratch(), Backend::kScratchSize);
    std::int64_t count = receive(room);
    if (count <= 0) return read_ended(count);
    if (!plain_) return;
    std::string data(room.data(), static_cast<std::size_t>(count));
    check("protocol.data_received() call failed.", [&] { plain_->data_received(std::move(data)); });
  }

  /// Empty if there is none, after which the transport is closed.
  std::span<char> next_buffer() {
    std::span<char> room;
    check("protocol.get_buffer() call failed.", [&] {
      room = buffered_->get_buffer(Backend::kScratchSize);
      if (room.empty()) throw RuntimeError("get_buffer() returned an empty buffer");
    });
    return room;
  }

  void read_into_buffer() {
    std::span<char> room = next_buffer();
    if (room.empty() || is_closing()) return;
    std::int64_t count = receive(room);
    if (count <= 0) return read_ended(count);
    check("protocol.buffer_updated() call failed.",
          [&] { buffered_->buffer_updated(static_cast<std::size_t>(count)); });
  }

  /// An error, the end, or bytes that were not there after all.
  void read_ended(std::int64_t result) {
    if (result == -EAGAIN) return;
    if (result < 0) return read_failed(static_cast<int>(-result));
    at_end_ = true;
    bool keep_open = false;
    check("protocol.eof_received() call failed.",
          [&] { keep_open = stream_protocol_->eof_received(); });
    // A pipe has no other direction, and TLS ends both.
    bool both = connection_->medium() == Medium::socket && !connection_->tls();
    if (!keep_open || !both) connection_->close();
  }

  /// CPython: _fatal_error.
  void read_failed(int error) {
    connection_->fail(make_os_error(error, "recv " + connection_->peername().str()));
  }

  /// Calls the protocol, which may be replaced meanwhile. What it throws ends the transport.
  template <class F>
  void check(const char* failed, F call) {
    auto keep = protocol_;
    std::exception_ptr error = call_protocol(loop(), failed, call);
    if (!error) return;
    stop_reading();
    connection_->fail(error);
  }

  // ConnectionUser.
  void writing_paused() noexcept override {
    auto keep = protocol_;
    call_protocol(loop(), "protocol.pause_writing() failed", [&] { keep->pause_writing(); });
  }
  void writing_resumed() noexcept override {
    auto keep = protocol_;
    call_protocol(loop(), "protocol.resume_writing() failed", [&] { keep->resume_writing(); });
  }
  void connection_lost(std::exception_ptr error) noexcept override {
    auto self = std::move(self_);
    stop_reading();
    begin_.unlink();
    auto last = std::move(protocol_);
    call_protocol(loop(), "protocol.connection_lost() call failed.",
                  [&] { last->connection_lost(std::move(error)); });
  }
  void abandoned() noexcept override {
    auto self = std::move(self_);
    stop_reading();
    begin_.unlink();
    auto last = std::move(protocol_);
  }

  std::shared_ptr<BaseProtocol> protocol_;
  StreamProtocol* stream_protocol_ = nullptr;  // what protocol_ is
  Protocol* plain_ = nullptr;
  BufferedProtocol* buffered_ = nullptr;
  Reading reading_;
  std::optional<Task<void>> decrypting_;
  Node begin_;
  std::shared_ptr<StreamTransport> self_;
  bool reads_ = false;
  bool paused_ = false;
  bool at_end_ = false;
};

}  // namespace

std::shared_ptr<Transport> start_transport(Ref<Connection> connection,
                                           std::shared_ptr<BaseProtocol> protocol) {
  auto transport = std::make_shared<StreamTransport>(std::move(connection), std::move(protocol));
  transport->start();
  return transport;
}

Coro<std::shared_ptr<Transport>> make_transport(Ref<Connection> connection,
                                                std::shared_ptr<BaseProtocol> protocol) {
  auto start = [connection = std::move(connection), protocol = std::move(protocol)]() mutable {
    return start_transport(std::move(connection), std::move(protocol));
  };
  return until_made<Transport>(std::move(start));
}

/// CPython: BaseEventLoop.start_tls.
Coro<std::shared_ptr<Transport>> start_tls(std::shared_ptr<Transport> transport,
                                           std::shared_ptr<BaseProtocol> protocol,
                                           TlsContext context, TlsStartOptions options) {
  auto plain = std::dynamic_pointer_cast<StreamTransport>(transport);
  if (!plain || plain->connection()->medium() != Medium::socket)
    throw TypeError("the transport is not supported by start_tls()");
  plain->check_not_retired();
  TlsOptions tls(std::move(context), options.get_ssl_handshake_timeout(),
                 options.get_ssl_shutdown_timeout());
  tls.set_server_hostname(options.get_server_hostname());
  Ref<Connection> connection = plain->connection();
  auto secured = std::make_shared<StreamTransport>(connection, std::move(protocol));
  connection->check_plain();
  // Bytes are the handshake's from here on.
  plain->pause_reading();
  connection->start_tls(tls);
  plain->retire();
  secured->hold();
  HandshakeWait handshake(connection);
  co_await std::move(handshake);
  secured->resume();
  std::shared_ptr<Transport> result = std::move(secured);
  co_return result;
}

}  // namespace asyncio::detail
