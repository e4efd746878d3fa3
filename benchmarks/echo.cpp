// SPDX-License-Identifier: BSL-1.0
// What does an echo over a socket cost, by how the end that answers is written? Both ends are in
// this process, on one loop; the end that asks is the same in all.
#include "in_loop.hpp"
#include <asyncio/asyncio.hpp>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace {

using namespace asyncio;
using bench::Count;

constexpr std::size_t kSize = 64;

/// Both ends of a connection. Who answers closes his.
std::pair<int, int> socket_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw OSError(errno, "socketpair");
  return {ends[0], ends[1]};
}

Coro<> ask(Count& count, int sock) {
  EventLoop loop = get_running_loop();
  std::string message(kSize, 'x');
  std::array<char, kSize> room{};
  while (count.more()) {
    co_await loop.sock_sendall(sock, std::string_view(message));
    for (std::size_t got = 0; got < kSize;)
      got += co_await loop.sock_recv_into(sock, std::span(room).subspan(got));
  }
  ::close(sock);
}

template <Coro<> (*answer)(int)>
Coro<> echo(Count& count) {
  auto [here, there] = socket_pair();
  auto other = create_task(answer(there));
  co_await ask(count, here);
  co_await other;
}

// --- Sockets ----------------------------------------------------------------------------------

Coro<> answer_socket(int sock) {
  EventLoop loop = get_running_loop();
  std::array<char, kSize> room{};
  while (std::size_t got = co_await loop.sock_recv_into(sock, std::span(room)))
    co_await loop.sock_sendall(sock, std::string_view(room.data(), got));
  ::close(sock);
}

// --- Streams ----------------------------------------------------------------------------------

Coro<> answer_stream(int sock) {
  auto [reader, writer] = co_await open_connection(sock);
  std::array<char, kSize> room{};
  while (std::size_t got = co_await reader.read_into(room))
    co_await writer.send(std::string_view(room.data(), got));
  writer.close();
  co_await writer.wait_closed();
}

// --- Protocols --------------------------------------------------------------------------------

class Answer final : public BufferedProtocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override {
    transport_ = std::move(transport);
  }
  std::span<char> get_buffer(std::size_t) override { return room_; }
  void buffer_updated(std::size_t count) override {
    transport_->write(std::string_view(room_.data(), count));
  }
  void connection_lost(std::exception_ptr) override {
    transport_.reset();
    lost.set();
  }

  Event lost;

 private:
  std::shared_ptr<Transport> transport_;
  std::array<char, kSize> room_{};
};

Coro<> protocol_echo(Count& count) {
  EventLoop loop = get_running_loop();
  auto [here, there] = socket_pair();
  auto [transport, protocol] =
      co_await loop.create_connection([] { return std::make_shared<Answer>(); }, there);
  co_await ask(count, here);
  co_await protocol->lost.wait();
}

const bool added = bench::add({"socket_echo", "asyncio", bench::in_loop<echo<answer_socket>>}) &&
                   bench::add({"stream_echo", "asyncio", bench::in_loop<echo<answer_stream>>}) &&
                   bench::add({"protocol_echo", "asyncio", bench::in_loop<protocol_echo>});

}  // namespace
