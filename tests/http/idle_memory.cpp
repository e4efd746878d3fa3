// SPDX-License-Identifier: BSL-1.0
// L2, L4: what connections cost that say nothing. How many bytes they are is measured by
// `./dev load`; what they must not depend on is tested here.
#include "allocation_count.hpp"
#include "asyncio/asyncio.hpp"
#include "asyncio/web.hpp"
#include "rounds.hpp"
#include "served.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::AllocationCount;
using test::kCountsAllocations;
using test::serve;
using test::Served;

constexpr int kConnections = 100;
constexpr int kWebSockets = 250;

/// Bytes that an idle connection may be, and an idle WebSocket with its connection: L2's limit, and
/// little more than what the latter is. Unoptimized or sanitized they are larger, each compiler has
/// its own: as measured, and 5 to 10 percent.
class Bounds {
 public:
  std::ptrdiff_t connection;
  std::ptrdiff_t websocket;
};
#ifdef __clang__
constexpr Bounds kMost =
    test::kOptimized && !test::kSanitized ? Bounds{2560, 4300} : Bounds{3300, 6000};
#else
constexpr Bounds kMost{2950, 5100};
#endif

/// A client that costs no memory of this process.
class BareClient {
 public:
  explicit BareClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(0, ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address));
  }
  BareClient(BareClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  BareClient& operator=(BareClient&&) = delete;
  ~BareClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  void send(std::string_view bytes) const {
    EXPECT_EQ(static_cast<ssize_t>(bytes.size()),
              ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  /// Takes so many bytes, and nothing from the heap.
  Coro<> take(std::size_t count) const {
    std::array<char, 512> got;
    for (int rounds = 0; count > 0; ++rounds) {
      if (rounds == 100'000) throw RuntimeError("the answer is too short");
      const ssize_t size = ::recv(fd_, got.data(), std::min(got.size(), count), MSG_DONTWAIT);
      if (size == 0) throw RuntimeError("the server has closed");
      if (size > 0) count -= static_cast<std::size_t>(size);
      co_await sleep(0s);
    }
  }
  /// Takes what comes, up to something that ends like that.
  Coro<std::string> expect(std::string_view end) const {
    std::string got(std::size_t{4} << 10, '\0');
    std::string all;
    while (!all.ends_with(end)) {
      const ssize_t size = ::recv(fd_, got.data(), got.size(), MSG_DONTWAIT);
      if (size == 0) throw RuntimeError("the server has closed: " + all);
      if (size > 0) all.append(got, 0, static_cast<std::size_t>(size));
      co_await sleep(0s);
    }
    co_return all;
  }

 private:
  int fd_;
};

Coro<web::Response> hello(web::Request&) { co_return web::Response("hello"); }

Coro<web::Response> upload(web::Request& request) {
  std::string body = co_await request.read();
  co_return web::Response("hello");
}

Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
  co_return web::Response::sent();
}

web::Application application() {
  web::Application app;
  app.get("/", hello).post("/", upload).get("/ws", echo);
  return app;
}

std::string request_with(std::size_t fields) {
  std::string text = "GET / HTTP/1.1\r\nHost: load\r\n";
  for (std::size_t i = 0; i < fields; ++i)
    text += "X-Field-" + std::to_string(i) + ": " + std::string(100, 'x') + "\r\n";
  return text + "\r\n";
}

/// Bytes that each of some more connections keeps once it was answered.
Coro<std::ptrdiff_t> idle_bytes(std::vector<BareClient>& clients, std::uint16_t port,
                                std::string request) {
  clients.reserve(clients.size() + kConnections);
  AllocationCount count;
  for (int i = 0; i < kConnections; ++i) {
    clients.emplace_back(port);
    clients.back().send(request);
    co_await clients.back().expect("hello");
  }
  co_return count.live_bytes() / kConnections;
}

Coro<> keep_little() {
  Served served = co_await serve(application());
  std::vector<BareClient> clients;
  std::ptrdiff_t warm = co_await idle_bytes(clients, served.port(), request_with(2));
  std::ptrdiff_t small = co_await idle_bytes(clients, served.port(), request_with(2));
  std::ptrdiff_t large = co_await idle_bytes(clients, served.port(), request_with(50));
  EXPECT_LT(small, kMost.connection) << "after " << warm;
  EXPECT_LT(large, small + 400) << "after " << warm;
  std::string body(std::size_t{40} << 10, 'x');
  std::string upload = "POST / HTTP/1.1\r\nHost: load\r\nContent-Length: 40960\r\n\r\n" + body;
  std::ptrdiff_t sent = co_await idle_bytes(clients, served.port(), upload);
  EXPECT_LT(sent, small + 1500) << "after " << warm;
  co_await served.cleanup();
}

TEST(IdleMemory, L2_a_connection_between_requests_keeps_little_of_the_last_one) {
  if (!kCountsAllocations) GTEST_SKIP() << "nothing is counted";
  asyncio::run(keep_little());
}

/// After it, answers have another Date.
std::chrono::nanoseconds rest_of_the_second() {
  const auto now = std::chrono::system_clock::now();
  return std::chrono::ceil<std::chrono::seconds>(now) - now + 1ms;
}

Coro<> answer_without_allocating() {
  Served served = co_await serve(application());
  BareClient client(served.port());
  const std::string request = request_with(4);
  client.send(request);
  const std::string answer = co_await client.expect("hello");
  std::size_t made = 0;
  for (int round = 0; round < 4; ++round) {  // the first ones warm up
    if (round == 3) co_await sleep(rest_of_the_second());
    AllocationCount count;
    for (int i = 0; i < 50; ++i) {
      client.send(request);
      co_await client.take(answer.size());
    }
    made = count.made();
  }
  EXPECT_EQ(made, 0u) << "in 50 requests";
  co_await served.cleanup();
}

TEST(IdleMemory, M7_requests_on_a_connection_that_is_kept_allocate_nothing) {
  if (!kCountsAllocations) GTEST_SKIP() << "nothing is counted";
  if (test::kAddressSanitizer) GTEST_SKIP() << "frames are not recycled";
  asyncio::run(answer_without_allocating());
}

/// Bytes that each WebSocket keeps with its connection, once it has echoed something.
Coro<> count_websockets() {
  Served served = co_await serve(application());
  std::vector<BareClient> clients;
  std::ptrdiff_t warm = co_await idle_bytes(clients, served.port(), request_with(2));
  clients.reserve(clients.size() + kWebSockets);
  AllocationCount count;
  for (int i = 0; i < kWebSockets; ++i) {
    BareClient client(served.port());
    client.send(
        "GET /ws HTTP/1.1\r\nHost: load\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    co_await client.expect("\r\n\r\n");
    client.send(std::string_view("\x81\x85\0\0\0\0hello", 11));
    co_await client.expect("hello");
    clients.push_back(std::move(client));
  }
  EXPECT_LT(count.live_bytes() / kWebSockets, kMost.websocket) << "after " << warm;
  clients.clear();
  co_await served.cleanup();
}

TEST(IdleMemory, L4_an_idle_websocket_keeps_little) {
  if (!kCountsAllocations) GTEST_SKIP() << "nothing is counted";
  asyncio::run(count_websockets());
}

}  // namespace
