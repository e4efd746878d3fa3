// SPDX-License-Identifier: BSL-1.0
// Ways to a connection: to a listener that lets nobody in yet, and to a peer that has not begun its
// side of TLS.
#include "asyncio/detail/backend/backend.hpp"
#include "folder.hpp"
#include "left_open.hpp"
#include "tls.hpp"
#include "told.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Our end of a connection, as streams or as a transport.
class Way {
 public:
  explicit Way(StreamWriter writer) : writer_(std::move(writer)) {}
  explicit Way(std::shared_ptr<Transport> transport) : transport_(std::move(transport)) {}

  void say(std::string_view text) {
    if (writer_)
      writer_->write(text);
    else
      transport_->write(text);
  }
  void hang_up() {
    if (writer_)
      writer_->abort();
    else
      transport_->abort();
  }

 private:
  std::optional<StreamWriter> writer_;
  std::shared_ptr<Transport> transport_;
};

/// Where to, and what became of it.
struct Place {
  std::uint16_t port = 0;
  std::string path;
  Protocols<ToldBytes> protocols;
};

using Dial = Coro<Way> (*)(Place*, ConnectOptions);

Coro<Way> streams(Place* place, ConnectOptions options) {
  auto ends = co_await open_connection("127.0.0.1", place->port, options);
  co_return Way(ends.second);
}
Coro<Way> unix_streams(Place* place, ConnectOptions options) {
  auto ends = co_await open_unix_connection(place->path, options);
  co_return Way(ends.second);
}
Coro<Way> transport(Place* place, ConnectOptions options) {
  auto factory = [place] { return place->protocols.make(); };
  EventLoop loop = get_running_loop();
  auto made = co_await loop.create_connection(factory, "127.0.0.1", place->port, options);
  co_return Way(made.first);
}
Coro<Way> unix_transport(Place* place, ConnectOptions options) {
  auto factory = [place] { return place->protocols.make(); };
  EventLoop loop = get_running_loop();
  auto made = co_await loop.create_unix_connection(factory, place->path, options);
  co_return Way(made.first);
}

/// Speaks TLS from the second word on.
Coro<Way> secured_transport(Place* place, ConnectOptions) {
  auto factory = [place] { return place->protocols.make(); };
  EventLoop loop = get_running_loop();
  auto made = co_await loop.create_connection(factory, "127.0.0.1", place->port);
  TlsStartOptions options;
  options.server_hostname("localhost");
  try {
    auto secured = co_await loop.start_tls(made.first, made.second, test::pki().client(), options);
    co_return Way(secured);
  } catch (const std::exception&) {
    made.first->abort();  // without memory it has not begun
    throw;
  }
}

/// A listener that accepts nothing. On a simulated loop one connection fills its backlog, and the
/// next has to wait; the system's takes a second to try again, so that there it has room.
template <Dial dial>
class Connects final : public Case {
 public:
  ~Connects() override {
    if (listener_ >= 0) backend_.close_fd(listener_);
  }
  Coro<> prepare() override {
    listen(simulated() ? 0 : 8);
    if (simulated()) first_ = co_await open_connection("127.0.0.1", place_.port);
    left_.begin();
  }
  Coro<> operation() override { way_ = co_await dial(&place_, ConnectOptions()); }
  void complete() override {
    if (!first_ || std::exchange(accepted_, true)) return;
    require(accept_one(), "nothing to accept");
  }
  Coro<> use_again() override {
    // The peer, which goes below, would end it as well.
    if (!way_ && !loop_.is_closed()) co_await place_.protocols.require_lost();
    complete();
    while (accept_one()) continue;  // then a plain connect works
    if (way_) way_->hang_up();
    way_.reset();
    if (!loop_.is_closed()) {
      co_await place_.protocols.require_lost();
      if (!simulated()) co_await left_.require_nothing();
    }
    way_ = co_await dial(&place_, ConnectOptions());
    way_->hang_up();
  }

 private:
  bool accept_one() {
    detail::Operation accept(nullptr, detail::Opcode::accept, listener_);
    std::int64_t fd = backend_.attempt(accept);
    if (fd >= 0) backend_.close_fd(static_cast<int>(fd));
    return fd >= 0;
  }
  void listen(int backlog) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    listener_ = backend_.socket(AF_INET, SOCK_STREAM, 0);
    require(listener_ >= 0, "socket");
    require(backend_.bind(listener_, generic, sizeof address) == 0, "bind");
    require(backend_.listen(listener_, backlog) == 0, "listen");
    std::uint32_t size = sizeof address;
    require(backend_.getsockname(listener_, generic, size) == 0, "getsockname");
    place_.port = ntohs(address.sin_port);
  }

  EventLoop loop_ = get_running_loop();
  detail::Backend& backend_ = detail::backend_of(loop_.impl());
  int listener_ = -1;
  bool accepted_ = false;
  std::optional<std::pair<StreamReader, StreamWriter>> first_;
  Place place_;
  LeftOpen left_;
  std::optional<Way> way_;
};

/// A server that begins its side of TLS when it is told to.
template <Dial dial, bool by_path>
class Handshakes final : public Case {
 public:
  Coro<> prepare() override {
    auto handler = [this](StreamReader reader, StreamWriter writer) {
      peer_reader_ = reader;
      peer_writer_ = writer;
      arrived_.set();
    };
    if (by_path) {
      place_.path = folder_.file("socket");
      server_ = co_await start_unix_server(handler, place_.path);
    } else {
      server_ = co_await start_server(handler, "127.0.0.1", 0);
      place_.port = server_->sockets().front().port();
    }
    options_.ssl(test::pki().client()).server_hostname("localhost");
    left_.begin();
  }
  Coro<> operation() override { way_ = co_await dial(&place_, options_); }
  void complete() override {
    if (!serving_) serving_.emplace(create_task(serve()));
  }
  Coro<> use_again() override {
    complete();
    if (!way_) {
      co_await expect_nothing();
      serving_.emplace(create_task(serve()));
      way_ = co_await dial(&place_, options_);
    }
    way_->say("secret");
    std::string got = co_await *serving_;
    require(got == "secret", "bytes are lost or doubled");
    way_->hang_up();
    server_->abort_clients();
  }

 private:
  /// Neither we nor the server have anything of the connection that was not made.
  Coro<> expect_nothing() {
    co_await sleep(10ms);  // what is under way arrives
    serving_->cancel();
    auto served = co_await capture(*serving_);
    require(!served.has_value(), "a peer got what nobody said");
    server_->abort_clients();
    peer_reader_.reset();
    peer_writer_.reset();
    arrived_.clear();
    if (loop_.is_closed()) co_return;  // and with it everything
    co_await place_.protocols.require_lost();
    if (!simulated()) co_await left_.require_nothing();
  }
  Coro<std::string> serve() {
    co_await arrived_.wait();
    co_await peer_writer_->start_tls(test::pki().server());
    co_return co_await peer_reader_->readexactly(6);
  }

  EventLoop loop_ = get_running_loop();
  test::Folder folder_;
  std::optional<Server> server_;
  Event arrived_;
  std::optional<StreamReader> peer_reader_;
  std::optional<StreamWriter> peer_writer_;
  Place place_;
  ConnectOptions options_;
  LeftOpen left_;
  std::optional<Way> way_;
  std::optional<Task<std::string>> serving_;
};

constexpr auto kOperation = AwaitableKind::operation;
constexpr auto kHandshake = AwaitableKind::tls_handshake;

constexpr Entry kEntries[] = {
    {"open_connection", kOperation, make<Connects<streams>>},
    {"create_connection", kOperation, make<Connects<transport>>},
    {"open_connection_tls", kHandshake, make<Handshakes<streams, false>>},
    {"create_connection_tls", kHandshake, make<Handshakes<transport, false>>},
    {"transport_start_tls", kHandshake, make<Handshakes<secured_transport, false>>},
    {"open_unix_connection", kHandshake, make<Handshakes<unix_streams, true>>},
    {"create_unix_connection", kHandshake, make<Handshakes<unix_transport, true>>},
};
static_assert(cover(kEntries, AwaitableKind::operation, AwaitableKind::stream_read));

}  // namespace

std::span<const Entry> dial_entries() { return kEntries; }

}  // namespace sweep
