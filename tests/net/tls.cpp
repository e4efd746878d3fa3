// SPDX-License-Identifier: BSL-1.0
// Streams over TLS, on every backend.
#include "asyncio/tls.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::Connected;
using test::error_of;
using test::pattern;
using test::pki;
using test::read;
using test::settle;
using test::tls_connected;

class TlsTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, TlsTest, test::all_backends, test::backend_name);

TEST_P(TlsTest, A3_1_A3_2_lines_there_and_back) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    both.writer().write("one\n");
    std::string one = co_await both.peer_reader().readline();
    EXPECT_EQ(one, "one\n");
    both.peer_writer().write("two\n");
    std::string two = co_await both.reader().readline();
    EXPECT_EQ(two, "two\n");
    EXPECT_FALSE(both.writer().can_write_eof());
    EXPECT_EQ(test::thrown([&] { both.writer().write_eof(); }),
              "asyncio::RuntimeError: Cannot call write_eof() on a TLS stream");
    both.writer().close();
    std::string end = co_await both.peer_reader().read();
    EXPECT_EQ(end, "");
    EXPECT_TRUE(both.peer_reader().at_eof());
    co_await both.close();
  });
}

Coro<std::string> send_and_read(StreamReader reader, StreamWriter writer, std::string bytes,
                                std::size_t expected) {
  writer.write(std::move(bytes));
  std::string got = co_await reader.readexactly(expected);
  co_await writer.drain();
  co_return got;
}

TEST_P(TlsTest, fault95_both_sides_send_at_once) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::string ours = pattern(8 << 20, 1), theirs = pattern(8 << 20, 2);
    auto here = send_and_read(both.reader(), both.writer(), ours, theirs.size());
    auto there = send_and_read(both.peer_reader(), both.peer_writer(), theirs, ours.size());
    auto [got, sent] = co_await gather(std::move(here), std::move(there));
    EXPECT_TRUE(got == theirs);
    EXPECT_TRUE(sent == ours);
    co_await both.close();
  });
}

TEST_P(TlsTest, A3_4_read_into_rooms_of_any_size) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::string sent = pattern(300'000);
    both.peer_writer().write(sent);
    std::vector<char> room(sent.size());
    std::size_t got = 0;
    for (std::size_t size = 1; got < room.size(); size = size * 3 + 1) {
      auto rest = std::span(room).subspan(got);
      std::size_t count = co_await both.reader().read_into(rest.first(std::min(size, rest.size())));
      if (count == 0) break;
      got += count;
    }
    EXPECT_EQ(std::string(room.data(), got), sent);
    co_await both.close();
  });
}

TEST_P(TlsTest, A3_5_writelines_and_small_pieces) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::vector<std::string> lines(1000, "a line\n");
    both.writer().writelines(lines);
    for (int i = 0; i < 1000; ++i) both.writer().write("x");
    std::string got = co_await both.peer_reader().readexactly(8000);
    std::string expected;
    for (const std::string& line : lines) expected += line;
    EXPECT_EQ(got, expected + std::string(1000, 'x'));
    co_await both.close();
  });
}

TEST_P(TlsTest, A3_5_close_sends_what_is_queued_and_ends_cleanly) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    std::string sent = pattern(5'000'000);
    both.writer().write(sent);
    EXPECT_GT(both.writer().get_write_buffer_size(), 0u);
    both.writer().close();
    EXPECT_TRUE(both.writer().is_closing());
    std::string got = co_await both.peer_reader().read();
    EXPECT_TRUE(got == sent);
    both.peer_writer().close();
    std::string error = co_await error_of(test::wait_closed(both.writer()));
    EXPECT_EQ(error, "nothing");
    co_await both.close();
  });
}

/// The peer's goodbye ends reading; what is on its way in the other direction arrives.
TEST_P(TlsTest, R2_peers_goodbye_leaves_our_direction) {
  run([]() -> Coro<> {
    Connected both = co_await tls_connected();
    both.writer().write("question");
    both.writer().close();
    std::string question = co_await both.peer_reader().read();
    EXPECT_EQ(question, "question");
    EXPECT_TRUE(both.peer_reader().at_eof());
    EXPECT_FALSE(both.peer_writer().is_closing());
    both.peer_writer().write("too late for an answer, and no error");
    std::string error = co_await error_of(test::drain(both.peer_writer()));
    EXPECT_EQ(error, "nothing");
    co_await both.close();
  });
}

TEST_P(TlsTest, A3_1_ssl_object_tells_what_was_agreed_on) {
  run([]() -> Coro<> {
    TlsContext server = pki().server(), client = pki().client();
    server.set_alpn_protocols({"h2", "http/1.1"});
    client.set_alpn_protocols({"http/1.1", "h2"});
    Connected both = co_await tls_connected(server, client);
    TlsInfo tls = both.writer().ssl_object().value();
    EXPECT_EQ(tls.version, "TLSv1.3");
    EXPECT_EQ(tls.cipher_bits, 256);
    EXPECT_EQ(tls.selected_alpn_protocol, "h2");
    EXPECT_EQ(tls.server_hostname, "localhost");
    EXPECT_FALSE(tls.server_side);
    EXPECT_EQ(tls.peercert->subject, (PeerCertificate::Name{{"commonName", "localhost"}}));
    EXPECT_EQ(tls.peercert->issuer, (PeerCertificate::Name{{"commonName", "Test Root"}}));
    EXPECT_EQ(tls.peercert->subject_alt_name,
              (PeerCertificate::Name{{"DNS", "localhost"}, {"IP Address", "127.0.0.1"}}));
    EXPECT_EQ(tls.peercert->sha256.size(), 64u);
    EXPECT_EQ(PeerCertificate(tls.peercert->der).serial_number, tls.peercert->serial_number);
    TlsInfo other = both.peer_writer().ssl_object().value();
    EXPECT_TRUE(other.server_side);
    EXPECT_EQ(other.server_hostname, "localhost");
    EXPECT_FALSE(other.peercert);
    EXPECT_EQ(both.writer().get_extra_info("cipher"), "TLS_AES_256_GCM_SHA384 TLSv1.3 256");
    EXPECT_EQ(both.writer().get_extra_info("selected_alpn_protocol"), "h2");
    EXPECT_EQ(both.writer().get_extra_info("peercert"), "commonName=localhost");
    EXPECT_EQ(both.writer().get_extra_info("peername"), both.writer().peername().str());
    co_await both.close();
    EXPECT_EQ(both.writer().get_extra_info("cipher"), "TLS_AES_256_GCM_SHA384 TLSv1.3 256");
  });
}

TEST_P(TlsTest, A3_5_start_tls_on_streams_that_exist) {
  run([]() -> Coro<> {
    Connected both = co_await test::connected();
    EXPECT_FALSE(both.writer().ssl_object());
    both.writer().write("STARTTLS\n");
    std::string command = co_await both.peer_reader().readline();
    EXPECT_EQ(command, "STARTTLS\n");
    // What is read and written during the handshake waits for its end.
    auto waiting = create_task(read(both.reader(), 7));
    auto client =
        both.writer().start_tls(pki().client(), TlsStartOptions().server_hostname("localhost"));
    auto server = both.peer_writer().start_tls(pki().server());
    auto securing = gather(std::move(client), std::move(server));
    co_await asyncio::sleep(0s);
    both.peer_writer().write("secret!");
    co_await std::move(securing);
    std::string got = co_await waiting;
    EXPECT_EQ(got, "secret!");
    EXPECT_EQ(both.writer().ssl_object()->version, "TLSv1.3");
    EXPECT_TRUE(both.peer_writer().ssl_object()->server_side);
    std::string again = co_await error_of(both.peer_writer().start_tls(pki().server()));
    EXPECT_EQ(again, "asyncio::RuntimeError: the connection speaks TLS already");
    co_await both.close();
  });
}

/// As after a PROXY header: the client did not wait, its first TLS bytes were read with the line.
TEST_P(TlsTest, A3_5_start_tls_takes_bytes_that_were_read_before) {
  run([]() -> Coro<> {
    Connected both = co_await test::connected();
    both.writer().write("PROXY TCP4\r\n");
    auto client = create_task(
        both.writer().start_tls(pki().client(), TlsStartOptions().server_hostname("localhost")));
    co_await settle();
    std::string line = co_await both.peer_reader().readline();
    EXPECT_EQ(line, "PROXY TCP4\r\n");
    co_await both.peer_writer().start_tls(pki().server());
    co_await client;
    both.peer_writer().write("ok");
    std::string got = co_await both.reader().readexactly(2);
    EXPECT_EQ(got, "ok");
    co_await both.close();
  });
}

TEST_P(TlsTest, R14_plain_text_before_the_handshake_is_refused) {
  run([]() -> Coro<> {
    Connected both = co_await test::connected();
    both.writer().write("STARTTLS\nDELETE everything\n");
    co_await settle();
    std::string command = co_await both.peer_reader().readline();
    std::string error = co_await error_of(both.peer_writer().start_tls(pki().server()));
    EXPECT_NE(error.find("asyncio::SSLError: TLS handshake with 127.0.0.1:"), std::string::npos)
        << error;
    EXPECT_NE(error.find("[SSL: WRONG_VERSION_NUMBER] wrong version number"), std::string::npos)
        << error;
    std::string rest = co_await error_of(read(both.peer_reader(), -1));
    EXPECT_EQ(rest, error);
    co_await both.close();
  });
}

std::vector<std::string> both_protocols() { return {"h2", "http/1.1"}; }

TEST_P(TlsTest, fault97_alpn) {
  run([]() -> Coro<> {
    TlsContext server = pki().server(), client = pki().client();
    client.set_alpn_protocols({"h2"});
    Connected without = co_await tls_connected(server, client);
    EXPECT_EQ(without.writer().ssl_object()->selected_alpn_protocol, std::nullopt);
    co_await without.close();
    server.set_alpn_protocols({"http/1.1"});
    // What a connection offers counts only if its context offers nothing.
    ConnectOptions offering;
    offering.alpn_protocols(both_protocols());
    Connected chosen = co_await tls_connected(server, pki().client(), {}, offering);
    EXPECT_EQ(chosen.writer().ssl_object()->selected_alpn_protocol, "http/1.1");
    co_await chosen.close();
    std::string same = co_await error_of(tls_connected(server, client, {}, offering));
    EXPECT_NE(same.find("NO_APPLICATION_PROTOCOL"), std::string::npos) << same;
    std::string error = co_await error_of(tls_connected(server, client));
    EXPECT_NE(error.find("[SSL: TLSV1_ALERT_NO_APPLICATION_PROTOCOL]"), std::string::npos) << error;
    EXPECT_EQ(test::thrown([&] { client.set_alpn_protocols({""}); }),
              "asyncio::SSLError: set_alpn_protocols: ALPN protocols must have 1 to 255 bytes");
  });
}

/// Servers at one port, one after another: the session's name has the port.
Coro<std::vector<bool>> resumed_at_one_port(TlsContext server, std::vector<TlsContext> clients,
                                            std::function<void(int)> before) {
  std::vector<bool> reused;
  ServerOptions options;
  auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
    co_await writer.send("a read brings the tickets");
    (void)co_await capture(reader.read());
    writer.close();
  };
  Server listening = co_await start_server(handler, "127.0.0.1", 0, options.ssl(server));
  std::uint16_t port = listening.sockets().at(0).port();
  for (int i = 0; const TlsContext& client : clients) {
    before(i++);
    ConnectOptions connect;
    connect.ssl(client).server_hostname("localhost");
    auto [reader, writer] = co_await open_connection("127.0.0.1", port, connect);
    co_await reader.readexactly(1);
    reused.push_back(writer.ssl_object()->session_reused);
    EXPECT_TRUE(writer.ssl_object()->peercert) << "also of a resumed session";
    writer.close();
    co_await writer.wait_closed();
  }
  listening.close();
  co_await listening.wait_closed();
  co_return reused;
}

/// By the same context: whoever does not want to be known again takes another one.
TEST_P(TlsTest, A12_4_sessions_are_resumed) {
  run([]() -> Coro<> {
    for (TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
      TlsContext client = pki().client(), other = pki().client(), copy = client;
      client.maximum_version(version);
      std::vector<TlsContext> clients{client, copy, other, client};
      auto reused = co_await resumed_at_one_port(pki().server(), clients, [](int) {});
      EXPECT_EQ(reused, (std::vector<bool>{false, true, false, true}));
    }
  });
}

/// What was verified under other settings does not count.
TEST_P(TlsTest, fault97_changed_settings_end_sessions) {
  run([]() -> Coro<> {
    TlsContext client = pki().client();
    client.insecure_skip_verification();
    auto secure = [&](int round) {
      if (round == 1) client.verify_mode(VerifyMode::required);
    };
    auto reused = co_await resumed_at_one_port(pki().server(), std::vector(3, client), secure);
    EXPECT_EQ(reused, (std::vector<bool>{false, false, true}));
    TlsContext server = pki().server();
    auto demand = [&](int round) {
      if (round == 1) server.verify_mode(VerifyMode::optional);
    };
    reused = co_await resumed_at_one_port(server, std::vector(3, pki().client()), demand);
    EXPECT_EQ(reused, (std::vector<bool>{false, false, true}));
  });
}

TEST_P(TlsTest, fault97_another_host_is_another_session) {
  run([]() -> Coro<> {
    test::Identity wide(pki().folder,
                        test::CertificateSpec("wide").alternatives("DNS:a.test,DNS:b.test"),
                        pki().root);
    TlsContext server = pki().server_with(wide), client = pki().client();
    std::vector<bool> reused;
    auto handler = [](StreamReader, StreamWriter writer) -> Coro<> {
      co_await writer.send("x");
      writer.close();
    };
    Server listening = co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(server));
    std::uint16_t port = listening.sockets().at(0).port();
    for (const char* name : {"a.test", "b.test", "a.test"}) {
      ConnectOptions connect;
      connect.ssl(client).server_hostname(name);
      auto [reader, writer] = co_await open_connection("127.0.0.1", port, connect);
      co_await reader.read();
      reused.push_back(writer.ssl_object()->session_reused);
      writer.close();
    }
    EXPECT_EQ(reused, (std::vector<bool>{false, false, true}));
    listening.close();
    co_await listening.wait_closed();
  });
}

TEST_P(TlsTest, A12_4_sni_chooses_the_certificate) {
  run([]() -> Coro<> {
    test::Identity other(pki().folder, test::CertificateSpec("o").alternatives("DNS:other.test"),
                         pki().root);
    TlsContext second = pki().server_with(other);
    TlsContext server = pki().server();
    std::vector<std::string> asked;
    server.sni_callback([&](const std::string& name) -> std::optional<TlsContext> {
      asked.push_back(name);
      if (name == "other.test") return second;
      return std::nullopt;
    });
    Connected first = co_await tls_connected(server, pki().client());
    ConnectOptions options;
    options.server_hostname("other.test");
    Connected both = co_await tls_connected(server, pki().client(), {}, options);
    EXPECT_EQ(both.writer().get_extra_info("peercert"), "commonName=o");
    EXPECT_EQ(asked, (std::vector<std::string>{"localhost", "other.test"}));
    co_await first.close();
    co_await both.close();
  });
}

TEST_P(TlsTest, fault97_sni_callback_throws) {
  run([]() -> Coro<> {
    test::ReportCapture capture(get_running_loop());
    TlsContext server = pki().server();
    bool broken = true;
    server.sni_callback([&](const std::string&) -> std::optional<TlsContext> {
      if (broken) throw ValueError("no such host");
      return std::nullopt;
    });
    std::string error = co_await error_of(tls_connected(server, pki().client()));
    EXPECT_NE(error.find("[SSL: TLSV1_ALERT_INTERNAL_ERROR]"), std::string::npos) << error;
    co_await settle();
    EXPECT_EQ(capture.reports,
              (std::vector<std::string>{"Error on transport creation for incoming connection: "
                                        "asyncio::ValueError: no such host"}));
    broken = false;
    Connected both = co_await tls_connected(server, pki().client());
    co_await both.close();
  });
}

/// A client with a session of a host that asks for nothing does not get into one that asks for a
/// certificate (CVE-2025-23419 of nginx).
TEST_P(TlsTest, fault97_R14_ticket_of_another_host_does_not_skip_verification) {
  run([]() -> Coro<> {
    TlsContext strict = pki().server();
    strict.verify_mode(VerifyMode::required).load_verify_locations(pki().root.certfile);
    TlsContext server = pki().server();
    bool guarded = false;
    server.sni_callback([&](const std::string&) -> std::optional<TlsContext> {
      if (guarded) return strict;
      return std::nullopt;
    });
    for (TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
      TlsContext client = pki().client();
      client.maximum_version(version);
      guarded = false;
      bool served = false;
      std::string last;
      auto handler = [&](StreamReader, StreamWriter writer) -> Coro<> {
        served = true;
        co_await writer.send("x");
        writer.close();
      };
      Server listening =
          co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(server));
      std::uint16_t port = listening.sockets().at(0).port();
      for (int i = 0; i < 2; ++i) {
        served = false;
        ConnectOptions connect;
        connect.ssl(client).server_hostname("localhost");
        try {
          auto [reader, writer] = co_await open_connection("127.0.0.1", port, connect);
          co_await reader.read();
          writer.close();
          last = "nothing";
        } catch (const std::exception&) {
          last = describe_exception(std::current_exception());
        }
        EXPECT_EQ(served, !guarded);
        guarded = true;
      }
      EXPECT_NE(last.find("SSLError"), std::string::npos) << last;
      listening.close();
      co_await listening.wait_closed();
    }
  });
}

TEST_P(TlsTest, A3_1_client_certificates) {
  run([]() -> Coro<> {
    test::Identity user(pki().folder, test::CertificateSpec("user").usage("clientAuth"),
                        pki().root);
    TlsContext server = pki().server();
    server.verify_mode(VerifyMode::required).load_verify_locations(pki().root.certfile);
    TlsContext client = pki().client();
    client.load_cert_chain(user.certfile, user.keyfile);
    Connected both = co_await tls_connected(server, client);
    EXPECT_EQ(both.peer_writer().get_extra_info("peercert"), "commonName=user");
    co_await both.close();
  });
}

TEST_P(TlsTest, A3_3_unix_sockets) {
  run([&]() -> Coro<> {
    std::string path = std::string(1, '\0') + "asyncio-tls-test-" + std::to_string(::getpid());
    auto handler = [](StreamReader, StreamWriter writer) -> Coro<> {
      co_await writer.send("hello");
      writer.close();
    };
    Server server = co_await start_unix_server(handler, path, ServerOptions().ssl(pki().server()));
    ConnectOptions options;
    options.ssl(pki().client());
    std::string error = co_await error_of(open_unix_connection(path, options));
    EXPECT_EQ(error,
              "asyncio::ValueError: You must set server_hostname when using ssl without a host");
    options.server_hostname("localhost");
    auto [reader, writer] = co_await open_unix_connection(path, options);
    std::string got = co_await reader.read();
    EXPECT_EQ(got, "hello");
    writer.close();
    co_await writer.wait_closed();
    server.close();
    co_await server.wait_closed();
  });
}

}  // namespace
