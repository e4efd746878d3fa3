// SPDX-License-Identifier: BSL-1.0
// What gives a transport or listens, on sockets and pipes of the system. It waits for iterations of
// the loop alone; if it is cancelled in one of them, nothing stays open.
#include "descriptors.hpp"
#include "folder.hpp"
#include "left_open.hpp"
#include "told.hpp"

#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace sweep {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// Ends by itself.
class Opens : public Case {
 public:
  Coro<> prepare() override {
    left_.begin();
    co_return;
  }
  void complete() override {}
  Coro<> operation() override { co_await open(); }
  Coro<> use_again() override {
    if (is_open() && loop_.is_closed()) co_return;  // gone with the loop
    if (!is_open()) {
      if (!loop_.is_closed()) co_await require_nothing();
      co_await open();
    }
    co_await use();
  }

 protected:
  virtual Coro<> open() = 0;
  virtual bool is_open() const = 0;
  virtual Coro<> use() = 0;
  virtual Coro<> require_nothing() { co_await left_.require_nothing(); }

  EventLoop loop_ = get_running_loop();
  LeftOpen left_;
};

// --- Servers -------------------------------------------------------------------------------------

using Listen = Coro<Server> (*)(const std::string*);

Coro<Server> streams(const std::string*) {
  auto greet = [](StreamReader, StreamWriter writer) {
    writer.write("hello");
    writer.close();
  };
  co_return co_await start_server(greet, "127.0.0.1", 0);
}
Coro<Server> unix_streams(const std::string* path) {
  auto greet = [](StreamReader, StreamWriter writer) {
    writer.write("hello");
    writer.close();
  };
  co_return co_await start_unix_server(greet, *path);
}

class Greeting final : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override {
    transport->write("hello");
    transport->close();
  }
};
std::shared_ptr<Greeting> greeting() { return std::make_shared<Greeting>(); }

Coro<Server> protocols(const std::string*) {
  EventLoop loop = get_running_loop();
  co_return co_await loop.create_server(&greeting, "127.0.0.1", 0);
}
Coro<Server> unix_protocols(const std::string* path) {
  EventLoop loop = get_running_loop();
  co_return co_await loop.create_unix_server(&greeting, *path);
}

/// Listens at an address that needs no look-up. At a path, it leaves no file if it does not serve.
template <Listen listen, bool by_path>
class Listens final : public Opens {
 private:
  Coro<> open() override { server_ = co_await listen(&path_); }
  bool is_open() const override { return server_.has_value(); }
  Coro<> require_nothing() override {
    co_await Opens::require_nothing();
    require(::access(path_.c_str(), F_OK) != 0, "a file is left");
  }
  Coro<> use() override {
    std::optional<Streams> ends;
    if (by_path)
      ends = co_await open_unix_connection(path_);
    else
      ends = co_await open_connection("127.0.0.1", server_->sockets().at(0).port());
    std::string text = co_await ends->first.read();
    require(text == "hello", "it is not served");
    ends->second.close();
    server_->close();
    co_await server_->wait_closed();
  }

  test::Folder folder_;
  const std::string path_ = folder_.file("socket");
  std::optional<Server> server_;
};

// --- Descriptors of ours -------------------------------------------------------------------------

/// What a transport is given, and what it is for.
template <bool is_read, bool is_written>
struct Ends {
  static constexpr bool reads = is_read;
  static constexpr bool writes = is_written;

  static void make(int& own, int& peer) {
    int both[2];
    if (reads && writes)
      require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) == 0, "no sockets");
    else
      require(::pipe2(both, O_CLOEXEC) == 0, "no pipe");
    own = both[reads ? 0 : 1];
    peer = both[reads ? 1 : 0];
  }
};

struct Accepted : Ends<true, true> {
  static Coro<std::shared_ptr<Transport>> give(Protocols<ToldBytes>* noted, int fd) {
    auto factory = [noted] { return noted->make(); };
    EventLoop loop = get_running_loop();
    auto made = co_await loop.connect_accepted_socket(factory, fd);
    co_return made.first;
  }
};
struct ReadPipe : Ends<true, false> {
  static Coro<std::shared_ptr<Transport>> give(Protocols<ToldBytes>* noted, int fd) {
    auto factory = [noted] { return noted->make(); };
    EventLoop loop = get_running_loop();
    auto made = co_await loop.connect_read_pipe(factory, fd);
    co_return made.first;
  }
};
struct WritePipe : Ends<false, true> {
  static Coro<std::shared_ptr<Transport>> give(Protocols<ToldBytes>* noted, int fd) {
    auto factory = [noted] { return noted->make(); };
    EventLoop loop = get_running_loop();
    auto made = co_await loop.connect_write_pipe(factory, fd);
    co_return made.first;
  }
};

/// Gives one of two descriptors to a transport, which closes it.
template <class Kind>
class Gives final : public Opens {
 private:
  Coro<> open() override {
    peer_.close();
    Kind::make(own_, peer_.fd);
    const GivenFd given(own_);
    try {
      transport_ = co_await Kind::give(&protocols_, own_);
    } catch (const std::exception&) {
      failed_.emplace(given);  // without memory nobody may have taken it
      throw;
    }
  }
  bool is_open() const override { return transport_ != nullptr; }
  Coro<> require_nothing() override {
    co_await protocols_.require_lost();
    co_await sleep(1ms);
    if (failed_) failed_->close_if_open();
    peer_.close();
    co_await Opens::require_nothing();
  }
  Coro<> use() override {
    if (transport_->is_closing()) co_return;  // without memory
    std::array<char, 8> room;
    if (Kind::reads) {
      require(::write(peer_.fd, "hello", 5) == 5, "write");
      auto last = protocols_.last();
      auto has_come = [&last] { return last->received == "hello"; };
      bool came = co_await comes_true(has_come);
      require(came, "bytes are lost");
    }
    if (Kind::writes) {
      transport_->write("there");
      require(::read(peer_.fd, room.data(), room.size()) == 5, "bytes are lost or doubled");
    }
    transport_->close();
    transport_.reset();
  }

  int own_ = -1;
  std::optional<GivenFd> failed_;
  test::OwnFd peer_;
  Protocols<ToldBytes> protocols_;
  std::shared_ptr<Transport> transport_;
};

// --- Datagrams -----------------------------------------------------------------------------------

/// To and from a socket of ours.
class Datagrams final : public Opens {
 public:
  Coro<> prepare() override {
    peer_.fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    require(::bind(peer_.fd, generic, size) == 0, "bind");
    require(::getsockname(peer_.fd, generic, &size) == 0, "getsockname");
    port_ = ntohs(address.sin_port);
    co_await Opens::prepare();
  }

 private:
  Coro<> open() override {
    auto factory = [this] { return protocols_.make(); };
    DatagramOptions options;
    options.local_addr("127.0.0.1", 0).remote_addr("127.0.0.1", port_);
    EventLoop loop = get_running_loop();
    auto made = co_await loop.create_datagram_endpoint(factory, options);
    transport_ = made.first;
  }
  bool is_open() const override { return transport_ != nullptr; }
  Coro<> require_nothing() override {
    co_await protocols_.require_lost();
    co_await Opens::require_nothing();
  }
  Coro<> use() override {
    if (transport_->is_closing()) co_return;  // without memory
    transport_->sendto("hello");
    std::array<char, 8> room;
    sockaddr_in sender{};
    auto* generic = reinterpret_cast<sockaddr*>(&sender);
    socklen_t size = sizeof sender;
    require(::recvfrom(peer_.fd, room.data(), room.size(), 0, generic, &size) == 5,
            "a datagram is lost");
    require(::sendto(peer_.fd, "there", 5, 0, generic, size) == 5, "sendto");
    auto last = protocols_.last();
    auto has_come = [&last] { return last->received == "there"; };
    bool came = co_await comes_true(has_come);
    require(came, "a datagram is lost or doubled");
    transport_->close();
    transport_.reset();
  }

  test::OwnFd peer_;
  std::uint16_t port_ = 0;
  Protocols<ToldDatagrams> protocols_;
  std::shared_ptr<DatagramTransport> transport_;
};

constexpr auto kCoroutine = AwaitableKind::coroutine;

constexpr Entry kEntries[] = {
    {"start_server", kCoroutine, make<Listens<streams, false>>, On::system},
    {"start_unix_server", kCoroutine, make<Listens<unix_streams, true>>, On::system},
    {"create_server", kCoroutine, make<Listens<protocols, false>>, On::system},
    {"create_unix_server", kCoroutine, make<Listens<unix_protocols, true>>, On::system},
    {"connect_accepted_socket", kCoroutine, make<Gives<Accepted>>, On::system},
    {"connect_read_pipe", kCoroutine, make<Gives<ReadPipe>>, On::system},
    {"connect_write_pipe", kCoroutine, make<Gives<WritePipe>>, On::system},
    {"create_datagram_endpoint", kCoroutine, make<Datagrams>, On::system},
};

}  // namespace

std::span<const Entry> transport_entries() { return kEntries; }

}  // namespace sweep
