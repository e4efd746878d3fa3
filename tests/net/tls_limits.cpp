// SPDX-License-Identifier: BSL-1.0
// What TLS may take: memory, answers, time to shut down, no descriptor of another's.
#include "asyncio/capture.hpp"
#include "asyncio/testing/faults.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "rounds.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <malloc.h>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;
using test::pki;
using test::settle;

std::size_t live_bytes() {
  struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
  writer.close();
}

constexpr int kConnections = 200;

/// Both ends together, which have both sent and received, with a task waiting on the server.
Coro<std::size_t> bytes_of_idle_connections(TlsVersion version) {
  Server server = co_await start_server(echo, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
  TlsContext context = pki().client();
  context.maximum_version(version);
  ConnectOptions options;
  options.ssl(context).server_hostname("localhost");
  std::vector<Streams> clients;
  std::size_t before = 0;
  for (int i = 0; i <= kConnections; ++i) {
    Streams client = co_await open_connection("127.0.0.1", server.sockets().at(0).port(), options);
    auto [reader, writer] = client;
    for (int piece = 0; piece < 20; ++piece) {
      writer.write("a line of some size\n");
      co_await reader.readline();
    }
    clients.push_back(client);
    if (i == 0) before = live_bytes();  // what is made once is there
  }
  co_await settle();
  std::size_t bytes = (live_bytes() - before) / kConnections;
  for (Streams& client : clients) client.second.abort();
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
  co_return bytes;
}

TEST(TlsLimits, L3_idle_connections) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizers' allocator does not tell";
  for (TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
    std::size_t bytes = asyncio::testing::run_simulated(bytes_of_idle_connections(version));
    RecordProperty("bytes_of_both_ends", static_cast<int>(bytes));
    EXPECT_LE(bytes, 2 * 24u * 1024);
    EXPECT_GE(bytes, 1000u);
  }
}

/// Half a ClientHello, and nothing more.
Coro<std::size_t> bytes_of_half_handshakes() {
  Server server = co_await start_server(echo, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
  std::vector<Streams> clients;
  std::size_t before = 0;
  for (int i = 0; i <= kConnections; ++i) {
    Streams client = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    client.second.write(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) +
                        std::string(200, 'x'));
    clients.push_back(client);
    co_await settle();
    if (i == 0) before = live_bytes();
  }
  std::size_t bytes = (live_bytes() - before) / kConnections;
  for (Streams& client : clients) client.second.abort();
  server.close();
  server.abort_clients();
  co_await server.wait_closed();
  co_return bytes;
}

TEST(TlsLimits, fault91_L15_half_handshakes) {
  if (test::kSanitized) GTEST_SKIP() << "the sanitizers' allocator does not tell";
  std::size_t bytes = asyncio::testing::run_simulated(bytes_of_half_handshakes());
  RecordProperty("bytes_with_the_client", static_cast<int>(bytes));
  EXPECT_LE(bytes, 16u * 1024);
  EXPECT_GE(bytes, 1000u);
}

/// A client by hand, which can do what ours does not.
class RawClient {
 public:
  RawClient() : context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl_);
  }
  ~RawClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  Coro<> connect(std::uint16_t port) {
    streams_ = co_await open_connection("127.0.0.1", port);
    while (SSL_do_handshake(ssl_) != 1) {
      flush();
      std::string bytes = co_await streams_->first.read(65536);
      BIO_write(SSL_get_rbio(ssl_), bytes.data(), static_cast<int>(bytes.size()));
    }
    flush();
  }
  /// Tells the server to use new keys and to answer.
  void update_keys() {
    SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl_);
    flush();
  }
  void write(const std::string& text) {
    SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    flush();
  }
  StreamWriter& writer() { return streams_->second; }

 private:
  void flush() {
    char* bytes = nullptr;
    long size = BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes);
    streams_->second.write(std::string_view(bytes, static_cast<std::size_t>(size)));
    (void)BIO_reset(SSL_get_wbio(ssl_));
  }

  SSL_CTX* context_;
  SSL* ssl_;
  std::optional<Streams> streams_;
};

/// Of a peer that asks for 100,000 answers and reads none.
TEST(TlsLimits, fault96_R6_key_updates_that_nobody_reads) {
  auto main = []() -> Coro<> {
    std::optional<StreamWriter> accepted;
    std::string outcome;
    auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      accepted = writer;
      auto ended = co_await capture(reader.readexactly(5));
      outcome = ended.has_value() ? ended.value() : describe_exception(ended.exception());
    };
    Server server =
        co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    RawClient client;
    co_await client.connect(server.sockets().at(0).port());
    std::size_t most = 0;
    for (int i = 0; i < 100'000 && outcome.empty(); ++i) {
      client.update_keys();
      if (i % 100 == 0) (void)co_await capture(client.writer().drain());
      if (accepted) most = std::max(most, accepted->get_write_buffer_size());
    }
    EXPECT_TRUE(outcome.ends_with("the peer does not read our answers")) << outcome;
    EXPECT_LE(most, 128u * 1024);
    client.writer().abort();
    server.close();
    co_await server.wait_closed();
  };
  asyncio::testing::run_simulated(main);
}

TEST(TlsLimits, fault96_a_few_key_updates_are_answered) {
  auto main = []() -> Coro<> {
    std::string got;
    auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      got = co_await reader.readexactly(5);
      writer.abort();
    };
    Server server =
        co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    RawClient client;
    co_await client.connect(server.sockets().at(0).port());
    for (int i = 0; i < 100; ++i) client.update_keys();
    client.write("hello");
    co_await settle();
    EXPECT_EQ(got, "hello");
    client.writer().abort();
    server.close();
    co_await server.wait_closed();
  };
  asyncio::testing::run_simulated(main);
}

/// OpenSSL counts records that carry nothing.
TEST(TlsLimits, fault94_R18_a_hundred_thousand_small_records) {
  auto main = []() -> Coro<> {
    test::Connected both = co_await test::tls_connected();
    for (int i = 0; i < 100'000; ++i) both.writer().write("x");
    std::string got = co_await both.peer_reader().readexactly(100'000);
    EXPECT_EQ(got, std::string(100'000, 'x'));
    co_await both.close();
  };
  asyncio::testing::run_simulated(main);
}

/// It is the user's code on the loop's thread, so everybody waits for it. A handshake with time
/// enough goes on; one whose time has run out meanwhile ends, and that one alone.
Coro<> shake_hands_slowly() {
  TlsContext server = pki().server();
  bool slow = true;
  server.sni_callback([&](const std::string&) -> std::optional<TlsContext> {
    if (slow) asyncio::testing::block_for(200ms);
    return std::nullopt;
  });
  test::Connected patient = co_await test::tls_connected(server, pki().client());
  int served = 0;
  auto handler = [&](StreamReader, StreamWriter writer) -> Coro<> {
    ++served;
    co_await writer.send("hello");
    writer.close();
  };
  Server hasty = co_await start_server(handler, "127.0.0.1", 0,
                                       ServerOptions().ssl(server).ssl_handshake_timeout(100ms));
  auto greeting = [&]() -> Coro<std::string> {
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    auto [reader, writer] =
        co_await open_connection("127.0.0.1", hasty.sockets().at(0).port(), options);
    std::string text = co_await reader.read();
    writer.abort();
    co_return text;
  };
  std::string error = co_await test::error_of(greeting());
  EXPECT_NE(error, "nothing");
  EXPECT_EQ(served, 0);
  slow = false;
  std::string text = co_await greeting();
  EXPECT_EQ(text, "hello");
  patient.writer().write("still there");
  text = co_await patient.peer_reader().readexactly(11);
  EXPECT_EQ(text, "still there");
  co_await patient.close();
  hasty.close();
  co_await hasty.wait_closed();
}

TEST(TlsLimits, fault97_slow_sni_callback) {
  for (const char* backend : {"epoll", "io_uring", "simulated"}) {
    SCOPED_TRACE(backend);
    RunOptions options;
    options.loop_factory(test::factory_of(backend));
    asyncio::run(options, shake_hands_slowly);
  }
}

/// Fault 57: EBADF says that the number names nothing; it may name somebody else's descriptor in a
/// moment. It is not closed, whatever else goes wrong afterwards.
class TlsLostDescriptorTest : public ::testing::TestWithParam<std::string> {
 public:
  void SetUp() override {
    std::string refusal = test::refusal_of(GetParam());
    if (!refusal.empty()) GTEST_SKIP() << refusal;
  }

  /// `act` is given the client and loses the descriptor of the server's connection, whose number
  /// it returns once that is over. The number must be as open as before.
  template <class F>
  void expect_left_alone(F act) {
    RunOptions options;
    options.loop_factory([this] { return new_loop(); });
    auto main = [&]() -> Coro<> {
      std::optional<StreamWriter> accepted;
      auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
        accepted = writer;
        auto ended = co_await capture(reader.read());
        outcome_ = describe_exception(ended.exception());
      };
      Server server =
          co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
      RawClient client;
      co_await client.connect(server.sockets().at(0).port());
      while (!accepted) co_await settle();
      int number = accepted->fileno();
      std::uint64_t closed = faults_.calls(SystemCall::close);
      act(client, *accepted);
      co_await settle();
      EXPECT_GE(faults_.injected(), 1u);
      EXPECT_EQ(accepted->fileno(), -1);
      EXPECT_EQ(faults_.calls(SystemCall::close), closed) << "closed, though it may be another's";
      if (GetParam() != "simulated") {
        EXPECT_EQ(::close(number), 0);
      }
      client.writer().abort();
      server.close();
      co_await server.wait_closed();
    };
    asyncio::run(options, main);
  }

  /// The call after so many more.
  std::uint64_t next(SystemCall call, unsigned more = 0) { return faults_.calls(call) + 1 + more; }

  Faults faults_;
  std::string outcome_;

  EventLoop new_loop() {
    if (GetParam() == "simulated") return faults_.new_simulated_event_loop();
    return GetParam() == "io_uring" ? faults_.new_uring_event_loop()
                                    : faults_.new_epoll_event_loop();
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, TlsLostDescriptorTest, test::all_backends, test::backend_name);

TEST_P(TlsLostDescriptorTest, fault57_R5_an_answer_that_cannot_be_sent) {
  expect_left_alone([this](RawClient& client, StreamWriter&) {
    faults_.fail(SystemCall::send, next(SystemCall::send, 2), EBADF);
    faults_.shorten(SystemCall::recv, next(SystemCall::recv), 10'000);  // there may be more
    faults_.fail(SystemCall::recv, next(SystemCall::recv, 1), ECONNRESET);
    client.update_keys();
    client.update_keys();  // OpenSSL answers when it reads on
  });
  EXPECT_TRUE(outcome_.ends_with("Bad file descriptor")) << outcome_;
}

TEST_P(TlsLostDescriptorTest, fault57_R5_a_read_that_fails) {
  expect_left_alone([this](RawClient& client, StreamWriter&) {
    faults_.fail(SystemCall::recv, next(SystemCall::recv), EBADF);
    client.update_keys();
  });
  EXPECT_TRUE(outcome_.ends_with("Bad file descriptor")) << outcome_;
}

TEST_P(TlsLostDescriptorTest, fault57_R5_while_it_waits_for_the_goodbye) {
  expect_left_alone([this](RawClient& client, StreamWriter& accepted) {
    accepted.close();
    faults_.fail(SystemCall::recv, next(SystemCall::recv), EBADF);
    client.update_keys();
  });
}

TEST_P(TlsLostDescriptorTest, fault57_R5_during_the_handshake) {
  RunOptions options;
  options.loop_factory([this] { return new_loop(); });
  auto main = [&]() -> Coro<> {
    std::vector<StreamWriter> peers;
    auto handler = [&](StreamReader, StreamWriter writer) { peers.push_back(std::move(writer)); };
    Server server = co_await start_server(handler, "127.0.0.1", 0);
    auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
    auto handshake = create_task(
        writer.start_tls(pki().client(), TlsStartOptions().server_hostname("localhost")));
    while (peers.empty()) co_await settle();
    co_await settle();
    int number = writer.fileno();
    std::uint64_t closed = faults_.calls(SystemCall::close);
    faults_.fail(SystemCall::recv, next(SystemCall::recv), EBADF);
    peers.at(0).write("x");
    auto ended = co_await capture(handshake);
    EXPECT_TRUE(describe_exception(ended.exception()).ends_with("Bad file descriptor"));
    co_await settle();
    EXPECT_EQ(writer.fileno(), -1);
    EXPECT_EQ(faults_.calls(SystemCall::close), closed) << "closed, though it may be another's";
    if (GetParam() != "simulated") {
      EXPECT_EQ(::close(number), 0);
    }
    peers.at(0).abort();
    server.close();
    co_await server.wait_closed();
  };
  asyncio::run(options, main);
}

}  // namespace
