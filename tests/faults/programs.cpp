// SPDX-License-Identifier: BSL-1.0
#include "programs.hpp"

#include "connected.hpp"
#include "descriptors.hpp"
#include "tls.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace faults {

using namespace asyncio;
using namespace std::chrono_literals;
using test::OwnFd;
using test::pattern;

namespace {

constexpr std::size_t kBytes = 20'000;
constexpr std::string_view kQuestion = "a question that is not short enough to be nothing";

/// Stays for all runs.
const test::Folder& folder() {
  static const test::Folder instance;
  return instance;
}
const std::string& source_file() {
  static const std::string path = folder().write("from", pattern(kBytes));
  return path;
}

// --- Streams ------------------------------------------------------------------------------------

Coro<> send_back(StreamReader reader, StreamWriter writer) {
  while (true) {
    std::string some = co_await reader.read(1 << 14);
    if (some.empty()) break;
    co_await writer.send(some);
  }
  writer.close();
  co_await writer.wait_closed();
}

Coro<> close_both(StreamWriter writer, Server server) {
  writer.close();
  co_await writer.wait_closed();
  server.close();
  co_await server.wait_closed();
}

Coro<> exchange(ServerOptions serving, ConnectOptions connecting) {
  std::string text = pattern(kBytes);
  Server server = co_await start_server(send_back, "127.0.0.1", 0, serving);
  std::uint16_t port = server.sockets().at(0).port();
  auto [reader, writer] = co_await open_connection("127.0.0.1", port, connecting);
  std::vector<std::string_view> halves{std::string_view(text).substr(0, kBytes / 2),
                                       std::string_view(text).substr(kBytes / 2)};
  writer.writelines(halves);
  co_await writer.drain();
  std::string got = co_await reader.readexactly(kBytes);
  require(got == text, "not the bytes that were sent");
  co_await close_both(writer, server);
}

Coro<> tcp_echo() { co_await exchange(ServerOptions(), ConnectOptions()); }

/// Reads the answer when it has said that there is no more to come.
Coro<> half_close() {
  std::string text = pattern(kBytes);
  Server server = co_await start_server(send_back, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  writer.write(text);
  writer.write_eof();
  co_await writer.drain();
  std::string got = co_await reader.readexactly(kBytes);
  require(got == text, "not the bytes that were sent");
  std::string more = co_await reader.read(1);
  require(more.empty(), "more bytes than were sent");
  co_await close_both(writer, server);
}

Coro<> tls_echo() {
  ServerOptions serving;
  serving.ssl(test::pki().server());
  ConnectOptions connecting;
  connecting.ssl(test::pki().client()).server_hostname("localhost");
  co_await exchange(serving, connecting);
}

Coro<> end_at_once() {
  Server server = co_await start_server(send_back, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  server.close();
  writer.close();
  co_await writer.wait_closed();
  co_await server.wait_closed();
}

/// A server that may have heard nothing of its client when it ends. It still hears of the first
/// one; for the second the loop ends as well.
Coro<> hasty_end() {
  co_await end_at_once();
  co_await sleep(2ms);
  co_await end_at_once();
}

/// A server that sends a file, by the kernel where it can.
Coro<> send_a_file() {
  std::string text = pattern(kBytes);
  std::string path = source_file();
  auto handler = [path](StreamReader, StreamWriter writer) -> Coro<> {
    OwnFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    co_await get_running_loop().sendfile(writer, file.fd);
    writer.close();
    co_await writer.wait_closed();
  };
  Server server = co_await start_server(handler, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  std::string got = co_await reader.readexactly(kBytes);
  require(got == text, "not the bytes of the file");
  co_await close_both(writer, server);
}

// --- Sockets of the program's own, and datagrams ------------------------------------------------

Coro<> serve_socket(int listener) {
  EventLoop loop = get_running_loop();
  auto accepted = co_await loop.sock_accept(listener);
  OwnFd connection(accepted.first);
  for (std::size_t answered = 0; answered < kQuestion.size();) {
    std::string some = co_await loop.sock_recv(connection.fd, 100);
    if (some.empty()) throw IncompleteReadError(some, kQuestion.size());
    co_await loop.sock_sendall(connection.fd, some);
    answered += some.size();
  }
}

/// An abstract Unix socket, which leaves no file behind.
OwnFd listen_at(const std::string& name) {
  sockaddr_storage address{};
  address.ss_family = AF_UNIX;
  std::memcpy(reinterpret_cast<char*>(&address) + sizeof address.ss_family, name.data(),
              name.size());
  auto size = static_cast<socklen_t>(sizeof address.ss_family + name.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  require(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  require(::listen(fd, 5) == 0, "listen");
  return OwnFd(fd);
}

Coro<> own_sockets() {
  EventLoop loop = get_running_loop();
  std::string name = '\0' + std::string("asyncio-faults-") + std::to_string(::getpid());
  OwnFd listener = listen_at(name);
  OwnFd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    group.create_task(serve_socket(listener.fd));
    co_await loop.sock_connect(client.fd, SocketAddress::local(name));
    co_await loop.sock_sendall(client.fd, kQuestion);
    std::string got;
    while (got.size() < kQuestion.size()) {
      std::string some = co_await loop.sock_recv(client.fd, 100);
      if (some.empty()) throw IncompleteReadError(got, kQuestion.size());
      got += some;
    }
    require(got == kQuestion, "not the bytes that were sent");
  });
}

class Datagrams : public DatagramProtocol {
 public:
  void connection_made(std::shared_ptr<DatagramTransport> its) override { transport = its; }
  void datagram_received(std::string data, const SocketAddress& sender) override {
    if (data != kQuestion) return;  // cut
    if (answers) transport->sendto(data, sender);
    arrived.set();
  }
  void connection_lost(std::exception_ptr) override {
    transport.reset();
    lost.set();
  }

  std::shared_ptr<DatagramTransport> transport;
  bool answers = false;
  Event arrived, lost;
};

std::shared_ptr<Datagrams> asking() { return std::make_shared<Datagrams>(); }
std::shared_ptr<Datagrams> answering() {
  auto made = asking();
  made->answers = true;
  return made;
}

/// Asks until there is an answer: a datagram may get lost.
Coro<> datagrams() {
  EventLoop loop = get_running_loop();
  auto [server, its] = co_await loop.create_datagram_endpoint(
      &answering, DatagramOptions().local_addr("127.0.0.1", 0));
  std::uint16_t port = server->sockname()->port();
  auto [client, own] = co_await loop.create_datagram_endpoint(
      &asking, DatagramOptions().remote_addr("127.0.0.1", port));
  for (int attempt = 0; !own->arrived.is_set(); ++attempt) {
    if (attempt == 50) throw_os_error(ENETUNREACH, "no answer");
    client->sendto(kQuestion);
    for (int tick = 0; tick < 20 && !own->arrived.is_set(); ++tick) co_await sleep(1ms);
  }
  client->close();
  co_await own->lost.wait();
  server->close();
  co_await its->lost.wait();
}

// --- Files and processes ------------------------------------------------------------------------

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Coro<> copy_a_file() {
  std::string text = pattern(kBytes);
  File from = co_await open_file(source_file());
  File to = co_await open_file(folder().file("to"), "w");
  while (true) {
    std::string part = co_await from.read(kBytes / 3);
    if (part.empty()) break;
    co_await to.write(std::move(part));
  }
  co_await to.fsync();
  FileStatus status = co_await to.stat();
  require(status.size() == kBytes, "not the size of the file");
  require(content_of(to.path()) == text, "not the bytes of the file");
  from.close();
  to.close();
}

/// Reads may give less than they were asked for.
Coro<std::string> part_of(File file, std::uint64_t offset, std::size_t size) {
  std::string part;
  while (part.size() < size) {
    std::string some = co_await file.read_at(offset + part.size(), size - part.size());
    if (some.empty()) break;
    part += some;
  }
  co_return part;
}

/// Two reads at once, of which either may be the first to end.
Coro<> read_two_parts() {
  std::string text = pattern(kBytes);
  File file = co_await open_file(source_file());
  auto [half, end] = co_await gather(part_of(file, 0, kBytes / 2), part_of(file, kBytes - 7, 100));
  require(half == text.substr(0, kBytes / 2), "not the first half of the file");
  require(end == text.substr(kBytes - 7), "not the end of the file");
  file.close();
}

Coro<> pipe_through_a_process() {
  std::string text = pattern(kBytes);
  Process process =
      co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE).stdout(PIPE), "cat");
  auto [out, err] = co_await process.communicate(text);
  require(out == text, "not the bytes that were sent");
  require(process.returncode() == 0, "the program failed");
}

constexpr Program kPrograms[] = {
    {"tcp_echo", tcp_echo},
    {"half_close", half_close},
    {"hasty_end", hasty_end},
    {"tls_echo", tls_echo},
    {"send_a_file", send_a_file},
    {"copy_a_file", copy_a_file},
    {"read_two_parts", read_two_parts},
    {"datagrams", datagrams},
    {"own_sockets", own_sockets, false},
    {"pipe_through_a_process", pipe_through_a_process, false},
};

}  // namespace

std::vector<Program> programs() {
  std::vector<Program> all(std::begin(kPrograms), std::end(kPrograms));
#ifdef ASYNCIO_FAULTS_HTTP
  all.insert(all.end(), http_programs().begin(), http_programs().end());
#endif
  return all;
}

}  // namespace faults
