// SPDX-License-Identifier: BSL-1.0
#include "client_kinds.hpp"

#include <asyncio/gather.hpp>
#include <asyncio/pipes.hpp>
#include <asyncio/streams.hpp>
#include <asyncio/task.hpp>
#include <asyncio/task_group.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace load {

using namespace asyncio;

namespace {

constexpr int kSources = 19;
constexpr int kWorkers = 64;

/// Spreads connections over addresses: one pair of them has 28,000 ports.
std::string source(const Target& to, std::int64_t number) {
  return to.source_base + std::to_string(2 + number % kSources);
}

Coro<Streams> connect(const Target& to, std::int64_t number, ConnectOptions options = {}) {
  options.local_addr(source(to, number), 0);
  co_return co_await open_connection("127.0.0.1", to.port, options);
}

Coro<> exchange(const Streams& streams) {
  co_await streams.second.send("hello\n");
  std::string answer = co_await streams.first.readline();
  if (answer != "hello\n") throw RuntimeError("got '" + answer + "'");
}

void report(std::int64_t errors, std::chrono::steady_clock::time_point since) {
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - since;
  std::printf("ready {\"errors\": %lld, \"seconds\": %.3f}\n", static_cast<long long>(errors),
              took.count());
  std::fflush(stdout);
}

/// Until the driver closes our input.
Coro<> stay() {
  StreamReader input = co_await connect_read_pipe(0);
  co_await input.read();
}

/// Calls `each(number)` for 0 to count - 1, some at a time. Returns how many failed.
template <class F>
Coro<std::int64_t> for_all(std::int64_t count, F each) {
  std::int64_t next = 0;
  std::int64_t errors = 0;
  auto work = [&]() -> Coro<> {
    while (next < count) {
      std::int64_t number = next++;
      try {
        co_await each(number);
      } catch (const std::exception& error) {
        if (++errors <= 3) std::fprintf(stderr, "%s\n", error.what());
      }
    }
  };
  std::vector<Task<void>> workers;
  for (int i = 0; i < kWorkers; ++i) workers.push_back(create_task(work()));
  co_await gather(workers);
  co_return errors;
}

constexpr std::string_view kOffer =
    "GET /ws HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
constexpr std::string_view kOfferDeflate =
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
    "client_no_context_takeover\r\n";

/// "Hello", which an echo sends back (RFC 6455, 5.7; RFC 7692, 7.2.3.1): a frame's first byte and
/// its payload.
Coro<> say_hello(const Streams& streams, std::string_view offer, char first,
                 std::string_view payload) {
  const std::string size(1, static_cast<char>(payload.size()));
  std::string question = std::string(kOffer).append(offer).append("\r\n");
  question += first;
  question += static_cast<char>(payload.size() | 0x80);
  question.append(4, '\0').append(payload);  // a mask of zeros
  const std::string wanted = first + size + std::string(payload);
  co_await streams.second.send(question);
  std::string head = co_await streams.first.readuntil("\r\n\r\n");
  std::string answer = co_await streams.first.readexactly(wanted.size());
  if (answer != wanted) throw RuntimeError("not the echo");
}

Coro<> say_plain_hello(const Streams& streams) { co_await say_hello(streams, "", '\x81', "Hello"); }
Coro<> say_small_hello(const Streams& streams) {
  co_await say_hello(streams, kOfferDeflate, '\xC1',
                     std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7));
}

Coro<> hold_with(Target to, ConnectOptions options, Coro<> (*say)(const Streams&) = exchange) {
  auto begin = std::chrono::steady_clock::now();
  std::vector<Streams> held;
  auto each = [&](std::int64_t number) -> Coro<> {
    Streams streams = co_await connect(to, number, options);
    co_await say(streams);
    held.push_back(std::move(streams));
  };
  std::int64_t errors = co_await for_all(to.count, each);
  report(errors, begin);
  co_await stay();
  for (Streams& streams : held) streams.second.abort();
}

/// A ClientHello, as bytes.
std::string client_hello() {
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                            &SSL_CTX_free);
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
  BIO* wire = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), wire);
  SSL_set_tlsext_host_name(ssl.get(), "localhost");
  SSL_connect(ssl.get());
  char* bytes = nullptr;
  long size = BIO_get_mem_data(wire, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

}  // namespace

Coro<> hold(Target to) { co_await hold_with(to, ConnectOptions()); }

Coro<> hold_tls(Target to) {
  TlsContext context(TlsPurpose::server_auth);
  context.insecure_skip_verification();
  co_await hold_with(to, ConnectOptions().ssl(context).server_hostname("localhost"));
}

Coro<> hold_websocket(Target to) { co_await hold_with(to, ConnectOptions(), say_plain_hello); }
Coro<> hold_websocket_deflate(Target to) {
  co_await hold_with(to, ConnectOptions(), say_small_hello);
}

Coro<> storm(Target to) {
  auto begin = std::chrono::steady_clock::now();
  std::int64_t errors = 0;
  std::vector<Streams> held;
  auto one = [&](std::int64_t number) -> Coro<> {
    try {
      Streams streams = co_await connect(to, number);
      co_await exchange(streams);
      held.push_back(std::move(streams));
    } catch (const OSError& error) {
      if (++errors <= 3) std::fprintf(stderr, "%s\n", error.what());
    }
  };
  std::vector<Task<void>> tasks;
  for (std::int64_t i = 0; i < to.count; ++i) tasks.push_back(create_task(one(i)));
  co_await gather(tasks);
  report(errors, begin);
  co_await stay();
  for (Streams& streams : held) streams.second.abort();
}

Coro<> churn(Target to) {
  auto begin = std::chrono::steady_clock::now();
  auto each = [&](std::int64_t number) -> Coro<> {
    Streams streams = co_await connect(to, number);
    co_await exchange(streams);
    // No TIME_WAIT: the ports are needed again.
    linger at_once{1, 0};
    ::setsockopt(streams.second.fileno(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    streams.second.abort();
  };
  std::int64_t errors = co_await for_all(to.count, each);
  report(errors, begin);
  co_await stay();
}

Coro<> stall(Target to) {
  auto begin = std::chrono::steady_clock::now();
  std::vector<int> sockets;
  std::int64_t errors = 0;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(to.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (std::int64_t i = 0; i < to.count; ++i) {
    sockets.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    int window = 4096;
    ::setsockopt(sockets.back(), SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
    if (::connect(sockets.back(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      ++errors;
  }
  report(errors, begin);
  co_await stay();
  for (int sock : sockets) ::close(sock);
}

Coro<> half_handshakes(Target to) {
  auto begin = std::chrono::steady_clock::now();
  const std::string hello = client_hello();
  std::vector<Streams> held;
  auto each = [&](std::int64_t number) -> Coro<> {
    Streams streams = co_await connect(to, number);
    co_await streams.second.send(std::string_view(hello));
    co_await streams.first.readexactly(5);  // the server has answered
    held.push_back(std::move(streams));
  };
  std::int64_t errors = co_await for_all(to.count, each);
  report(errors, begin);
  co_await stay();
  for (Streams& streams : held) streams.second.abort();
}

}  // namespace load
