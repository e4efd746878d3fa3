// SPDX-License-Identifier: BSL-1.0
// Order and messages follow asyncio/selector_events.py, _SelectorDatagramTransport.
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/detail/net/transport_calls.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/transports.hpp"
#include "protocol_calls.hpp"
#include "sockaddr.hpp"
#include "write_limits.hpp"

#include <cerrno>
#include <deque>
#include <new>
#include <sys/socket.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// How many datagrams an endpoint receives before others have their turn.
constexpr int kDatagramsPerTurn = 16;

/// What a datagram that is kept counts beyond its bytes, so that many small ones are bounded, too.
constexpr std::size_t kOverhead = 64;

/// As CPython's constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES.
constexpr int kLoggedIgnoredWrites = 5;

class Endpoint final : public DatagramTransport,
                       public SocketHolder,
                       public Resource,
                       public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(DatagramSocket socket, std::shared_ptr<DatagramProtocol> protocol)
      : socket_(std::move(socket)),
        protocol_(std::move(protocol)),
        reading_(&on_readable, Opcode::poll_readable, *this),
        writing_(&on_writable, Opcode::poll_writable, *this),
        begin_(&on_begin, *this),
        end_(&on_end, *this) {
    if (auto name = sockname()) own_ = *name;
    backend().own(socket_.fd);
    loop().future_born();
  }
  ~Endpoint() override { loop().future_died(); }

  /// Alive from here to connection_lost.
  void start() {
    self_ = shared_from_this();
    backend().add_resource(*this);
    loop().call_ready(begin_);
  }

  // BaseTransport.
  void close() override {
    if (std::exchange(closing_, true)) return;
    forget(reading_);
    if (queue_.empty()) end(nullptr);
  }
  bool is_closing() const noexcept override { return closing_; }
  std::optional<std::string> get_extra_info(std::string_view name) const override {
    if (name == "peername" && socket_.remote) return socket_.remote->str();
    if (name == "sockname" && own_) return own_->str();
    return std::nullopt;
  }
  void set_protocol(std::shared_ptr<BaseProtocol> protocol) override {
    auto fitting = std::dynamic_pointer_cast<DatagramProtocol>(protocol);
    if (!fitting) throw TypeError("a DatagramProtocol is needed for this transport");
    protocol_ = std::move(fitting);
  }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return protocol_; }

  // DatagramTransport.
  void sendto(std::string_view data, const std::optional<SocketAddress>& receiver) override {
    if (socket_.remote && receiver && *receiver != *socket_.remote)
      throw ValueError("Invalid address: must be None or " + socket_.remote->str());
    if (lost_) return ignored();
    const std::optional<SocketAddress>& to = socket_.remote ? socket_.remote : receiver;
    if (queue_.empty()) {
      std::int64_t result = send(data, to);
      if (result != -EAGAIN) return sent(result, to);
    }
    queue_.emplace_back(std::string(data), to);
    queued_ += data.size() + kOverhead;
    if (queued_ > high_) pause();
    flush();
  }
  void abort() override {
    closing_ = true;
    end(nullptr);
  }
  std::size_t get_write_buffer_size() const noexcept override { return queued_; }
  std::pair<std::size_t, std::size_t> get_write_buffer_limits() const noexcept override {
    return {low_, high_};
  }
  void set_write_buffer_limits(std::optional<std::ptrdiff_t> high,
                               std::optional<std::ptrdiff_t> low) override {
    WriteLimits limits(high, low);
    high_ = limits.high;
    low_ = limits.low;
    if (queued_ > high_) pause();
  }
  std::optional<SocketAddress> sockname() const override {
    RawAddress raw;
    if (socket_.fd < 0 || backend().getsockname(socket_.fd, raw.get(), raw.size) < 0)
      return std::nullopt;
    return SocketAddressAccess::from_raw(raw);
  }
  TransportSocket socket() const override { return TransportSocket(shared_from_this()); }
  Backend& socket_backend() const noexcept override { return backend(); }
  int socket_number() const noexcept override { return socket_.fd; }

 private:
  using Datagram = std::pair<std::string, std::optional<SocketAddress>>;

  struct Wake : Operation {
    Wake(Run function, Opcode what, Endpoint& owner) noexcept
        : Operation(function, what, owner.socket_.fd), endpoint(owner) {
      stream = true;  // in that the endpoint alone uses it
    }
    Endpoint& endpoint;
    bool pending = false;
  };
  struct Node : Ready {
    Node(Run function, Endpoint& owner) noexcept : Ready(function), endpoint(owner) {}
    Endpoint& endpoint;
  };

  Backend& backend() const noexcept { return *socket_.backend; }
  Loop& loop() const noexcept { return backend().loop(); }

  static void on_begin(Ready& node) {
    auto self = static_cast<Node&>(node).endpoint.shared_from_this();
    self->or_end([&] {
      call_protocol(self->loop(), "protocol.connection_made() call failed.",
                    [&] { self->protocol_->connection_made(self); });
      if (!self->closing_) self->ask(self->reading_);
    });
  }

  /// A step that the loop takes. Without the memory for it the endpoint ends, as by any error.
  template <class F>
  void or_end(F step) {
    try {
      step();
    } catch (const std::bad_alloc&) {
      closing_ = true;
      end(std::current_exception());
    }
  }

  void ask(Wake& wake) {
    if (std::exchange(wake.pending, true)) return;
    if (backend().start(wake)) loop().call_ready(wake);
  }
  void forget(Wake& wake) noexcept {
    if (std::exchange(wake.pending, false)) backend().forget(wake);
  }
  static Endpoint& endpoint_of(Ready& node) noexcept {
    Wake& wake = static_cast<Wake&>(static_cast<Operation&>(node));
    wake.pending = false;
    return wake.endpoint;
  }

  // Receiving.
  static void on_readable(Ready& node) {
    auto self = endpoint_of(node).shared_from_this();
    self->or_end([&] {
      for (int i = 0; i < kDatagramsPerTurn && !self->closing_; ++i)
        if (!self->receive()) break;
      if (!self->closing_) self->ask(self->reading_);
    });
  }

  /// Returns whether there may be more.
  bool receive() {
    RawAddress sender;
    Operation recv(nullptr, Opcode::recvfrom, socket_.fd);
    recv.stream = true;
    recv.buffer = backend().scratch();
    recv.size = Backend::kScratchSize;
    recv.flags = MSG_TRUNC;
    recv.address = sender.get();
    recv.address_size = sender.size;
    std::int64_t count = backend().attempt(recv);
    if (count == -EAGAIN) return false;
    if (count > static_cast<std::int64_t>(Backend::kScratchSize)) count = -EMSGSIZE;
    if (count < 0) {
      failed(static_cast<int>(-count), "recvfrom" + of(socket_.remote));
      return true;
    }
    std::string data(backend().scratch(), static_cast<std::size_t>(count));
    SocketAddress from = SocketAddressAccess::from_raw(sender.get(), recv.address_size);
    check("protocol.datagram_received() call failed.",
          [&] { protocol_->datagram_received(std::move(data), from); });
    return true;
  }

  static std::string of(const std::optional<SocketAddress>& peer) {
    return peer ? " " + peer->str() : "";
  }

  // Sending.
  std::int64_t send(std::string_view data, const std::optional<SocketAddress>& to) {
    RawAddress raw;
    bool connected = socket_.remote && connected_;
    Operation op(nullptr, to && !connected ? Opcode::sendto : Opcode::send, socket_.fd);
    op.stream = true;
    op.buffer = const_cast<char*>(data.data());
    op.size = data.size();
    if (op.opcode == Opcode::sendto) {
      raw = SocketAddressAccess::to_raw(*to);
      op.address = raw.get();
      op.address_size = raw.size;
    }
    return backend().attempt(op);
  }
  void sent(std::int64_t result, const std::optional<SocketAddress>& to) {
    if (result < 0) failed(static_cast<int>(-result), "sendto" + of(to));
  }

  void flush() {
    while (!queue_.empty()) {
      Datagram& first = queue_.front();
      std::int64_t result = send(first.first, first.second);
      if (result == -EAGAIN) return ask(writing_);
      Datagram gone = std::move(first);
      queue_.pop_front();
      queued_ -= gone.first.size() + kOverhead;
      sent(result, gone.second);
    }
  }
  static void on_writable(Ready& node) {
    auto self = endpoint_of(node).shared_from_this();
    if (self->lost_) return;
    self->or_end([&] {
      self->flush();
      if (self->paused_ && self->queued_ <= self->low_) self->unpause();
      if (self->queue_.empty() && self->closing_) self->end(nullptr);
    });
  }
  void unpause() {
    paused_ = false;
    call_protocol(loop(), "protocol.resume_writing() failed", [&] { protocol_->resume_writing(); });
  }
  void pause() {
    if (std::exchange(paused_, true) || lost_) return;
    call_protocol(loop(), "protocol.pause_writing() failed", [&] { protocol_->pause_writing(); });
  }
  void ignored() {
    if (++ignored_ == kLoggedIgnoredWrites)
      log(LogLevel::warning, "socket.send() raised exception.");
  }

  // Errors and the end.
  void failed(int error, const std::string& what) {
    std::exception_ptr reason = make_os_error(error, what);
    if (error == EBADF) {
      // Somebody else has closed it: it fails for ever, and at once.
      descriptor_lost_ = closing_ = true;
      return end(reason);
    }
    check("protocol.error_received() call failed.", [&] { protocol_->error_received(reason); });
  }
  template <class F>
  void check(const char* text, F call) {
    auto keep = protocol_;
    if (!keep) return;
    if (std::exception_ptr error = call_protocol(loop(), text, call)) {
      closing_ = true;
      end(error);
    }
  }
  void end(std::exception_ptr error) {
    if (std::exchange(lost_, true)) return;
    forget(reading_);
    forget(writing_);
    queue_.clear();
    queued_ = 0;
    error_ = std::move(error);
    loop().call_ready(end_);
  }
  static void on_end(Ready& node) {
    auto self = static_cast<Node&>(node).endpoint.shared_from_this();
    auto protocol = std::move(self->protocol_);
    self->self_.reset();
    self->Resource::unlink();
    int fd = std::exchange(self->socket_.fd, -1);
    self->backend().disown(fd);
    if (self->descriptor_lost_)
      self->backend().release(fd);  // The number may be another's by now.
    else
      self->backend().close_fd(fd);
    call_protocol(self->loop(), "protocol.connection_lost() call failed.",
                  [&] { protocol->connection_lost(self->error_); });
  }
  void loop_closing() noexcept override {
    auto self = std::move(self_);
    auto protocol = std::move(protocol_);
    closing_ = lost_ = true;
    forget(reading_);
    forget(writing_);
    begin_.unlink();
    end_.unlink();
    if (socket_.fd >= 0) backend().close_fd(std::exchange(socket_.fd, -1));
  }

  DatagramSocket socket_;
  std::shared_ptr<DatagramProtocol> protocol_;
  std::optional<SocketAddress> own_;
  Wake reading_;
  Wake writing_;
  Node begin_;
  Node end_;
  std::deque<Datagram> queue_;
  std::size_t queued_ = 0;
  std::size_t high_ = Connection::kHighWater;
  std::size_t low_ = Connection::kLowWater;
  int ignored_ = 0;
  bool connected_ = is_connected();
  bool closing_ = false;
  bool lost_ = false;
  bool descriptor_lost_ = false;
  bool paused_ = false;
  std::exception_ptr error_;
  std::shared_ptr<Endpoint> self_;

  bool is_connected() const noexcept {
    RawAddress raw;
    return backend().getpeername(socket_.fd, raw.get(), raw.size) >= 0;
  }
};

}  // namespace

Coro<std::shared_ptr<DatagramTransport>> make_datagrams(
    DatagramSocket socket, std::shared_ptr<DatagramProtocol> protocol) {
  auto start = [socket = std::move(socket), protocol = std::move(protocol)]() mutable {
    auto endpoint = std::make_shared<Endpoint>(std::move(socket), std::move(protocol));
    endpoint->start();
    return endpoint;
  };
  return until_made<DatagramTransport>(std::move(start));
}

}  // namespace asyncio::detail
