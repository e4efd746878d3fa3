// SPDX-License-Identifier: BSL-1.0
// TLS with programs that other people wrote: openssl, curl, Python's asyncio, nginx.
#include "asyncio/capture.hpp"
#include "asyncio/timeout.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::error_of;
using test::output_until;
using test::pattern;
using test::pki;
using test::port_of;
using test::Program;

class TlsPeersTest : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, TlsPeersTest, test::real_backends, test::backend_name);

/// A server that sends every line back.
class Echo {
 public:
  Coro<> open(TlsContext context) {
    auto handler = [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      ++served;
      info = writer.ssl_object();
      auto ended = co_await capture(echo(reader, writer));
      outcome = ended.has_value() ? "nothing" : describe_exception(ended.exception());
      writer.close();
    };
    server = co_await start_server(handler, "127.0.0.1", 0, ServerOptions().ssl(context));
    port = std::to_string(server->sockets().at(0).port());
  }
  Coro<> close() {
    server->close();
    server->abort_clients();
    co_await server->wait_closed();
  }

  std::optional<Server> server;
  std::string port;
  std::optional<TlsInfo> info;
  std::string outcome;
  int served = 0;

 private:
  static Coro<> echo(StreamReader reader, StreamWriter writer) {
    while (auto line = co_await reader.next()) co_await writer.send(*line);
  }
};

std::vector<std::string> s_client(const std::string& port, std::vector<std::string> more) {
  std::vector<std::string> words{"openssl",           "s_client",          "-connect",
                                 "127.0.0.1:" + port, "-servername",       "localhost",
                                 "-CAfile",           pki().root.certfile, "-verify_return_error",
                                 "-verify_hostname",  "localhost"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_P(TlsPeersTest, A3_2_openssl_s_client) {
  run([]() -> Coro<> {
    for (std::string version : {"-tls1_2", "-tls1_3"}) {
      Echo echo;
      TlsContext context = pki().server();
      context.set_alpn_protocols({"echo"});
      co_await echo.open(context);
      Program client(s_client(echo.port, {version, "-alpn", "echo"}));
      std::string text = co_await output_until(client, "---\n[^]*---\n[^]*---\n[^]*---\n");
      EXPECT_NE(text.find("Verification: OK"), std::string::npos) << text;
      EXPECT_NE(text.find("ALPN protocol: echo"), std::string::npos) << text;
      client.write("from openssl\n");
      co_await output_until(client, "from openssl\n");
      EXPECT_EQ(echo.info->version, version == "-tls1_2" ? "TLSv1.2" : "TLSv1.3");
      client.close_input();
      co_await output_until(client, "DONE|closed");
      for (int i = 0; i < 1000 && echo.outcome.empty(); ++i) co_await asyncio::sleep(5ms);
      EXPECT_EQ(echo.outcome, "nothing") << "s_client says goodbye";
      co_await echo.close();
    }
  });
}

TEST_P(TlsPeersTest, fault96_R14_old_versions_and_weak_ciphers_are_refused) {
  run([]() -> Coro<> {
    Echo echo;
    co_await echo.open(pki().server());
    std::vector<std::vector<std::string>> offers{{"-tls1", "-cipher", "ALL:@SECLEVEL=0"},
                                                 {"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"},
                                                 {"-tls1_2", "-cipher", "eNULL:@SECLEVEL=0"},
                                                 {"-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"},
                                                 {"-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"}};
    for (const auto& offer : offers) {
      Program client(s_client(echo.port, offer));
      co_await output_until(client, "alert (protocol version|handshake failure)");
    }
    EXPECT_EQ(echo.served, 0);
    co_await echo.close();
  });
}

TEST_P(TlsPeersTest, fault96_renegotiation_is_refused) {
  run([]() -> Coro<> {
    Echo echo;
    co_await echo.open(pki().server());
    Program client(s_client(echo.port, {"-tls1_2"}));
    co_await output_until(client, "Verify return code: 0");
    client.write("R\n");
    co_await output_until(client, "no renegotiation");
    co_await echo.close();
  });
}

TEST_P(TlsPeersTest, fault96_key_updates) {
  run([]() -> Coro<> {
    Echo echo;
    co_await echo.open(pki().server());
    Program client(s_client(echo.port, {"-tls1_3"}));
    co_await output_until(client, "Verify return code: 0");
    for (int i = 0; i < 50; ++i) {
      client.write("K\n");
      co_await output_until(client, "KEYUPDATE");
    }
    client.write("after them\n");
    co_await output_until(client, "after them\n");
    co_await echo.close();
  });
}

TEST_P(TlsPeersTest, A3_1_openssl_s_server) {
  run([]() -> Coro<> {
    for (std::string version : {"-tls1_2", "-tls1_3"}) {
      Program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", version, "-cert",
                      pki().localhost.certfile, "-key", pki().localhost.keyfile});
      std::uint16_t port = co_await port_of(server, "ACCEPT [^ ]*:([0-9]+)\n");
      ConnectOptions options;
      options.ssl(pki().client()).server_hostname("localhost");
      auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
      writer.write("hello\n");
      std::string line = co_await reader.readline();
      EXPECT_EQ(line, "olleh\n");
      writer.close();
      std::string error = co_await error_of(test::wait_closed(writer));
      EXPECT_EQ(error, "nothing");
    }
  });
}

TEST_P(TlsPeersTest, A3_1_s_server_that_trusts_nobody_else) {
  run([]() -> Coro<> {
    test::Identity user(pki().folder, test::CertificateSpec("user").usage("clientAuth"),
                        pki().root);
    Program server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-rev", "-cert",
                    pki().localhost.certfile, "-key", pki().localhost.keyfile, "-Verify", "2",
                    "-CAfile", pki().root.certfile, "-verify_return_error"});
    std::uint16_t port = co_await port_of(server, "ACCEPT [^ ]*:([0-9]+)\n");
    TlsContext context = pki().client();
    context.load_cert_chain(user.certfile, user.keyfile);
    ConnectOptions options;
    options.ssl(context).server_hostname("localhost");
    auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
    writer.write("abc\n");
    std::string line = co_await reader.readline();
    EXPECT_EQ(line, "cba\n");
    writer.close();
    co_await writer.wait_closed();
  });
}

Coro<> answer_http(StreamReader reader, StreamWriter writer) {
  (void)co_await reader.readuntil("\r\n\r\n");
  writer.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n");
  writer.write(pattern(1'000'000));
  writer.close();
}

TEST_P(TlsPeersTest, A3_2_curl) {
  if (test::lacks_program("curl")) return;
  run([]() -> Coro<> {
    Server server =
        co_await start_server(answer_http, "127.0.0.1", 0, ServerOptions().ssl(pki().server()));
    std::string url = "https://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/";
    std::string file = pki().folder.file("curl.out");
    {
      Program curl({"curl", "-sS", "--cacert", pki().root.certfile, "-o", file, "-w",
                    "%{http_code} %{ssl_verify_result} %{size_download}\n", url});
      std::string text = co_await output_until(curl, "\n");
      EXPECT_EQ(text, "200 0 1000000\n");
    }
    Program distrusting({"curl", "-sS", url});
    co_await output_until(distrusting, "curl: \\((60|77)\\)");
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  });
}

constexpr char kPythonClient[] = R"(
import asyncio, ssl, sys
async def main():
    context = ssl.create_default_context(cafile=sys.argv[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]), ssl=context,
                                                   server_hostname="localhost")
    lines = [b"%d " % i * 1000 + b"\n" for i in range(100)]
    async def send():
        for line in lines:
            writer.write(line)
            await writer.drain()
    sending = asyncio.create_task(send())
    got = [await reader.readline() for _ in lines]
    await sending
    writer.close()
    await writer.wait_closed()
    print("same" if got == lines else "other", writer.get_extra_info("cipher")[1], flush=True)
asyncio.run(main())
)";

TEST_P(TlsPeersTest, A3_2_client_on_pythons_asyncio) {
  run([]() -> Coro<> {
    Echo echo;
    co_await echo.open(pki().server());
    Program client({"python3", "-c", kPythonClient, echo.port, pki().root.certfile});
    std::string text = co_await output_until(client, "\n");
    EXPECT_EQ(text, "same TLSv1.3\n");
    for (int i = 0; i < 1000 && echo.outcome.empty(); ++i) co_await asyncio::sleep(5ms);
    EXPECT_EQ(echo.outcome, "nothing");
    co_await echo.close();
  });
}

constexpr char kPythonServer[] = R"(
import asyncio, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1], sys.argv[2])
async def echo(reader, writer):
    while line := await reader.readline():
        if line == b"STARTTLS\n":
            writer.write(b"ready\n")
            await writer.start_tls(context)
        else:
            writer.write(line)
            await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0,
                                        ssl=context if sys.argv[3] == "ssl" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
)";

Program python_server(const char* kind) {
  return Program(
      {"python3", "-c", kPythonServer, pki().localhost.certfile, pki().localhost.keyfile, kind});
}

TEST_P(TlsPeersTest, A3_1_server_on_pythons_asyncio) {
  run([]() -> Coro<> {
    Program server = python_server("ssl");
    std::uint16_t port = co_await port_of(server, "([0-9]+)\n");
    ConnectOptions options;
    options.ssl(pki().client()).server_hostname("localhost");
    auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
    for (int i = 0; i < 100; ++i) {
      std::string line = std::string(static_cast<std::size_t>(i) * 300, 'x') + "\n";
      co_await writer.send(line);
      std::string got = co_await reader.readline();
      EXPECT_TRUE(got == line);
    }
    writer.close();
    std::string error = co_await error_of(test::wait_closed(writer));
    EXPECT_EQ(error, "nothing");
  });
}

TEST_P(TlsPeersTest, A3_5_start_tls_with_pythons_asyncio) {
  run([]() -> Coro<> {
    Program server = python_server("plain");
    std::uint16_t port = co_await port_of(server, "([0-9]+)\n");
    auto [reader, writer] = co_await open_connection("127.0.0.1", port);
    writer.write("plain\nSTARTTLS\n");
    std::string plain = co_await reader.readline();
    std::string ready = co_await reader.readline();
    EXPECT_EQ(plain + ready, "plain\nready\n");
    co_await writer.start_tls(pki().client(), TlsStartOptions().server_hostname("localhost"));
    writer.write("secret\n");
    std::string got = co_await reader.readline();
    EXPECT_EQ(got, "secret\n");
    writer.close();
    co_await writer.wait_closed();
  });
}

TEST_P(TlsPeersTest, A3_1_nginx) {
  if (test::lacks_program("nginx")) return;
  run([]() -> Coro<> {
    test::Folder folder;
    folder.write("file", pattern(3'000'000));
    // A port that is free by now: nginx cannot choose one itself.
    Server scout = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
    std::uint16_t port = scout.sockets().at(0).port();
    scout.close();
    co_await scout.wait_closed();
    std::string config = folder.write(
        "nginx.conf",
        "daemon off; master_process off; error_log stderr; pid " + folder.file("pid") +
            ";\nevents {}\nhttp { access_log off; client_body_temp_path " + folder.path() +
            "; proxy_temp_path " + folder.path() + "; fastcgi_temp_path " + folder.path() +
            "; uwsgi_temp_path " + folder.path() + "; scgi_temp_path " + folder.path() +
            ";\nserver { listen 127.0.0.1:" + std::to_string(port) +
            " ssl http2; ssl_certificate " + pki().localhost.certfile + "; ssl_certificate_key " +
            pki().localhost.keyfile + "; root " + folder.path() + "; } }\n");
    Program nginx({"nginx", "-c", config, "-e", "stderr"});
    TlsContext context = pki().client();
    context.set_alpn_protocols({"http/1.1"});
    ConnectOptions options;
    options.ssl(context).server_hostname("localhost");
    std::vector<bool> reused;
    for (int i = 0, tries = 0; i < 3; ++i) {
      auto opened = co_await capture(open_connection("127.0.0.1", port, options));
      if (!opened.has_value()) {
        if (++tries > 1000) break;
        co_await asyncio::sleep(5ms);
        --i;
        continue;
      }
      auto [reader, writer] = opened.value();
      writer.write("GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      std::string head = co_await reader.readuntil("\r\n\r\n");
      std::string body = co_await reader.read();
      EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK")) << head;
      EXPECT_TRUE(body == pattern(3'000'000));
      EXPECT_EQ(writer.ssl_object()->selected_alpn_protocol, "http/1.1");
      reused.push_back(writer.ssl_object()->session_reused);
      writer.close();
      co_await writer.wait_closed();
    }
    EXPECT_EQ(reused, (std::vector<bool>{false, true, true})) << nginx.read_some();
  });
}

}  // namespace
