// SPDX-License-Identifier: BSL-1.0
// Sockets and files of the system.
#include "descriptors.hpp"
#include "folder.hpp"
#include "sweep_case.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace sweep {

using namespace asyncio;

namespace {

// --- Sockets -------------------------------------------------------------------------------------

/// Two sockets that are connected.
class SocketPair : public Case {
 public:
  SocketPair() {
    int both[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both) == 0,
            "no sockets");
    own_.fd = both[0];
    peer_.fd = both[1];
  }

 protected:
  test::OwnFd own_;
  test::OwnFd peer_;
};

template <Coro<std::string> (*receive)(int)>
class Receives final : public SocketPair {
 public:
  Coro<> operation() override { got_ = co_await receive(own_.fd); }
  void complete() override {
    if (!std::exchange(sent_, true))
      require(::send(peer_.fd, "bytes", 5, MSG_NOSIGNAL) == 5, "send");
  }
  Coro<> use_again() override {
    complete();
    if (got_.empty()) got_ = co_await receive(own_.fd);
    require(got_ == "bytes", "bytes are lost or doubled");
  }

 private:
  bool sent_ = false;
  std::string got_;
};

Coro<std::string> recv(int sock) { co_return co_await get_running_loop().sock_recv(sock, 100); }
Coro<std::string> recv_into(int sock) {
  std::string room(100, '\0');
  std::size_t count = co_await get_running_loop().sock_recv_into(sock, room);
  room.resize(count);
  co_return room;
}
Coro<std::string> recvfrom(int sock) {
  auto got = co_await get_running_loop().sock_recvfrom(sock, 100);
  co_return got.first;
}
Coro<std::string> recvfrom_into(int sock) {
  std::string room(100, '\0');
  auto got = co_await get_running_loop().sock_recvfrom_into(sock, room);
  room.resize(got.first);
  co_return room;
}

constexpr std::size_t kMuch = 1 << 20;

/// Sends more than the peer takes before it reads.
template <Coro<> (*send)(int)>
class SendsMuch final : public SocketPair {
 public:
  Coro<> prepare() override {
    got_.reserve(2 * kMuch);
    co_return;
  }
  Coro<> operation() override {
    co_await send(own_.fd);
    sent_ = true;
  }
  void complete() override {
    if (!reading_) reading_.emplace(create_task(read_all()));
  }
  Coro<> use_again() override {
    complete();
    ::shutdown(own_.fd, SHUT_WR);
    co_await *reading_;
    require(got_ == std::string(sent_ ? kMuch : got_.size(), 'x'), "bytes are lost or doubled");
    require(got_.size() <= kMuch, "more bytes than were sent");
  }

 private:
  /// Goes on where it has no memory: then it has taken nothing.
  Coro<> read_all() {
    for (bool ended = false; !ended;) {
      try {
        std::size_t count = co_await get_running_loop().sock_recv_into(peer_.fd, room_);
        got_.append(room_, 0, count);
        ended = count == 0;
      } catch (const std::bad_alloc&) {
        continue;
      }
    }
  }
  std::string room_ = std::string(kMuch, '\0');
  std::string got_;
  bool sent_ = false;
  std::optional<Task<>> reading_;
};

const std::string& much() {
  static const std::string bytes(kMuch, 'x');
  return bytes;
}
Coro<> sendall(int sock) { co_await get_running_loop().sock_sendall(sock, much()); }
Coro<> sendfile(int sock) {
  test::TemporaryFile file(much());
  co_await get_running_loop().sock_sendfile(sock, file.fd);
}

/// To a socket whose queue is full of datagrams.
class SendsTo final : public Case {
 public:
  Coro<> prepare() override {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    constexpr int kType = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    peer_.fd = ::socket(AF_UNIX, kType, 0);
    require(::bind(peer_.fd, generic, sizeof address) == 0, "bind");
    own_.fd = ::socket(AF_UNIX, kType, 0);
    // A socket that is not connected is writable although the queue of others is full.
    require(::connect(own_.fd, generic, sizeof address) == 0, "connect");
    while (::send(own_.fd, "filler", 6, MSG_NOSIGNAL) == 6) continue;
    co_return;
  }
  Coro<> operation() override {
    EventLoop loop = get_running_loop();
    std::size_t sent = co_await loop.sock_sendto(own_.fd, "bytes", SocketAddress::local(path_));
    require(sent == 5, "a part of a datagram");
    ++sent_;
  }
  void complete() override {
    std::array<char, 8> room;
    while (true) {
      ssize_t count = ::recv(peer_.fd, room.data(), room.size(), 0);
      if (count < 0) break;
      got_ += std::string_view(room.data(), static_cast<std::size_t>(count)) == "bytes";
    }
  }
  Coro<> use_again() override {
    complete();
    require(got_ == sent_, "a datagram is lost or doubled");
    co_await operation();
    complete();
    require(got_ == sent_, "a datagram is lost or doubled");
  }

 private:
  test::Folder folder_;
  const std::string path_ = folder_.file("socket");
  test::OwnFd own_, peer_;
  int sent_ = 0;
  int got_ = 0;
};

/// With a listener of the system.
class Listening : public Case {
 public:
  Coro<> prepare() override {
    listener_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    require(::bind(listener_.fd, generic(), size) == 0, "bind");
    require(::listen(listener_.fd, 4) == 0, "listen");
    require(::getsockname(listener_.fd, generic(), &size) == 0, "getsockname");
    co_return;
  }

 protected:
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }
  sockaddr_in address_{};
  test::OwnFd listener_;
};

class ConnectsSocket final : public Listening {
 public:
  Coro<> prepare() override {
    own_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    co_await Listening::prepare();
  }
  Coro<> operation() override {
    EventLoop loop = get_running_loop();
    const std::uint16_t port = ntohs(address_.sin_port);
    co_await loop.sock_connect(own_.fd, SocketAddress::numeric("127.0.0.1", port));
  }
  void complete() override {}
  Coro<> use_again() override {
    auto again = co_await capture(operation());
    // The system goes on with what nobody waits for any more.
    if (!again && !again.holds<OSError>()) again.rethrow();
    EventLoop loop = get_running_loop();
    auto accepted = co_await loop.sock_accept(listener_.fd);
    test::OwnFd peer(accepted.first);
    require(::send(own_.fd, "hello", 5, MSG_NOSIGNAL) == 5, "it is not connected");
    std::string got = co_await loop.sock_recv(peer.fd, 8);
    require(got == "hello", "a connection is lost");
  }

 private:
  test::OwnFd own_;
};

class Accepts final : public Listening {
 public:
  Coro<> operation() override {
    auto accepted = co_await get_running_loop().sock_accept(listener_.fd);
    accepted_.fd = accepted.first;
  }
  void complete() override {
    if (client_.fd >= 0) return;
    client_.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    require(::connect(client_.fd, generic(), sizeof address_) == 0, "connect");
  }
  Coro<> use_again() override {
    complete();
    if (accepted_.fd < 0) co_await operation();
    require(::send(accepted_.fd, "hello", 5, MSG_NOSIGNAL) == 5, "send");
    std::array<char, 8> got;
    require(::recv(client_.fd, got.data(), got.size(), 0) == 5, "a connection is lost");
  }

 private:
  test::OwnFd client_, accepted_;
};

// --- Files ---------------------------------------------------------------------------------------

constexpr std::string_view kText = "what is in the file";

/// Waits by itself, for the disk or a thread.
template <Coro<> (*use)(File)>
class OnFile final : public Case {
 public:
  Coro<> prepare() override {
    char name[] = "/tmp/asyncio.XXXXXX";
    int fd = ::mkostemp(name, O_CLOEXEC);
    require(fd >= 0 && ::write(fd, kText.data(), kText.size()) > 0, "no file");
    ::close(fd);
    path_ = name;
    file_ = co_await open_file(path_, "r+");
  }
  ~OnFile() override { ::unlink(path_.c_str()); }
  Coro<> operation() override { co_await use(*file_); }
  void complete() override {}
  bool ends_at_once() const override { return false; }
  Coro<> use_again() override {
    file_->seek(0);
    std::string text = co_await file_->read();
    require(text == kText, "not what is in the file");
    file_->close();
  }

 private:
  std::string path_;
  std::optional<File> file_;
};

Coro<> read(File file) {
  std::string text = co_await file.read();
  require(text == kText, "not what is in the file");
}
Coro<> read_at(File file) {
  std::string text = co_await file.read_at(5, 2);
  require(text == kText.substr(5, 2), "not what is in the file");
}
Coro<> write(File file) { co_await file.write(Bytes(kText)); }
Coro<> write_at(File file) { co_await file.write_at(5, Bytes(kText.substr(5))); }
Coro<> stat(File file) {
  FileStatus status = co_await file.stat();
  require(status.size() == kText.size(), "not the size of the file");
}
Coro<> fsync(File file) { co_await file.fsync(); }
Coro<> open_again(File file) {
  File other = co_await open_file(file.path());
  other.close();
}

constexpr auto kCoroutine = AwaitableKind::coroutine;

constexpr Entry kEntries[] = {
    {"sock_recv", kCoroutine, make<Receives<recv>>, On::system},
    {"sock_recv_into", kCoroutine, make<Receives<recv_into>>, On::system},
    {"sock_recvfrom", kCoroutine, make<Receives<recvfrom>>, On::system},
    {"sock_recvfrom_into", kCoroutine, make<Receives<recvfrom_into>>, On::system},
    {"sock_sendall", kCoroutine, make<SendsMuch<sendall>>, On::system},
    {"sock_sendfile", kCoroutine, make<SendsMuch<sendfile>>, On::system},
    {"sock_sendto", kCoroutine, make<SendsTo>, On::system},
    {"sock_connect", kCoroutine, make<ConnectsSocket>, On::system},
    {"sock_accept", kCoroutine, make<Accepts>, On::system},
    {"file_read", kCoroutine, make<OnFile<read>>, On::system},
    {"file_read_at", kCoroutine, make<OnFile<read_at>>, On::system},
    {"file_write", kCoroutine, make<OnFile<write>>, On::system},
    {"file_write_at", kCoroutine, make<OnFile<write_at>>, On::system},
    {"file_stat", kCoroutine, make<OnFile<stat>>, On::system},
    {"file_fsync", kCoroutine, make<OnFile<fsync>>, On::system},
    {"open_file", kCoroutine, make<OnFile<open_again>>, On::system},
};

}  // namespace

std::span<const Entry> descriptor_entries() { return kEntries; }

}  // namespace sweep
