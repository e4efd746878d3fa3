// SPDX-License-Identifier: BSL-1.0
// The client with servers that other people wrote: nginx and Python's http.server.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::error_of;
using test::free_port;
using test::pattern;
using test::pki;
using test::Program;

namespace {

class ClientPeers : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ClientPeers, test::real_backends, test::backend_name);

/// Until somebody listens there.
Coro<> until_open(std::uint16_t port) {
  for (int i = 0; i < 2000; ++i) {
    auto opened = co_await capture(open_connection("127.0.0.1", port));
    if (opened) {
      opened.value().second.abort();
      co_return;
    }
    co_await asyncio::sleep(5ms);
  }
  ADD_FAILURE() << "nobody listens";
}

/// Asks for a page often and at once; returns how many connections that took.
Coro<int> ask_often(URL url, std::string body, SessionOptions options) {
  int made = 0;
  options.trace(
      http::TraceConfig().on_connection_create_end([&made](const http::TraceParams&) { ++made; }));
  ClientSession session(options.limit(5));
  auto ask = [&]() -> Coro<> {
    ClientResponse response = co_await session.get(url);
    std::string text = co_await response.text();
    EXPECT_EQ(response.status(), 200);
    EXPECT_TRUE(text == body) << text.size();
  };
  for (int round = 0; round < 4; ++round) {
    std::vector<Coro<>> all;
    for (int i = 0; i < 10; ++i) all.push_back(ask());
    co_await gather(std::move(all));
  }
  session.close();
  co_return made;
}

/// A page, texts that are compressed, and what the server says about the protocol.
class Nginx {
 public:
  /// What stands behind the addresses of its two ports: "ssl http2", say.
  Coro<> start(std::string of_plain, std::string of_secure) {
    for (int i = 0; i < 12; ++i) words += words;
    folder_.write("file", page);
    folder_.write("words.txt", words);
    std::uint16_t plain_port = co_await free_port(), secure_port = co_await free_port();
    std::string server = "root " + folder_.path() +
                         "; types { text/plain txt; } gzip on; gzip_types text/plain; "
                         "location /moved { return 302 /file; } "
                         "location /protocol { return 200 $server_protocol; } } ";
    std::string config = folder_.write(
        "nginx.conf",
        "daemon off; master_process off; error_log stderr; pid " + folder_.file("pid") +
            ";\nevents {}\nhttp { access_log off; client_body_temp_path " + folder_.path() +
            "; proxy_temp_path " + folder_.path() + "; fastcgi_temp_path " + folder_.path() +
            "; uwsgi_temp_path " + folder_.path() + "; scgi_temp_path " + folder_.path() +
            ";\nserver { listen 127.0.0.1:" + std::to_string(plain_port) + of_plain + "; " +
            server + "\nserver { listen 127.0.0.1:" + std::to_string(secure_port) + of_secure +
            "; ssl_certificate " + pki().localhost.certfile + "; ssl_certificate_key " +
            pki().localhost.keyfile + "; http2_max_concurrent_streams 7; " + server + "}\n");
    process_.emplace(nginx_command(config));
    co_await until_open(plain_port);
    plain = URL("http://127.0.0.1:" + std::to_string(plain_port));
    secure = URL("https://127.0.0.1:" + std::to_string(secure_port));
  }

  std::string page = pattern(100'000);
  std::string words = "plain words\n";
  URL plain, secure;

 private:
  static std::vector<std::string> nginx_command(const std::string& config) {
    return {"nginx", "-c", config, "-e", "stderr"};
  }

  test::Folder folder_;
  std::optional<Program> process_;
};

TEST_P(ClientPeers, S42_nginx) {
  if (test::lacks_program("nginx")) return;
  run([]() -> Coro<> {
    Nginx nginx;
    co_await nginx.start("", " ssl");
    SessionOptions options;
    options.ssl(pki().client());
    int made = co_await ask_often(nginx.plain / "file", nginx.page, options);
    EXPECT_LE(made, 5);
    made = co_await ask_often(nginx.secure / "file", nginx.page, options);
    EXPECT_LE(made, 5);
    made = co_await ask_often(nginx.plain / "moved", nginx.page, options);
    EXPECT_LE(made, 5);
    // Compressed, and so in chunks.
    ClientResponse zipped = co_await http::get(nginx.plain / "words.txt");
    EXPECT_EQ(zipped.headers().get("Content-Encoding", "-"), "gzip");
    EXPECT_EQ(zipped.headers().get("Transfer-Encoding", "-"), "chunked");
    EXPECT_EQ(zipped.version(), http::Version::http_1_1);
    std::string text = co_await zipped.text();
    EXPECT_TRUE(text == nginx.words);
    ClientResponse none = co_await http::get(nginx.plain / "none");
    EXPECT_EQ(none.status(), 404);
    // Whom the system does not know is not trusted.
    std::string error = co_await error_of(http::get(nginx.secure / "file"));
    EXPECT_NE(error.find("ClientConnectorError"), std::string::npos) << error;
    EXPECT_NE(error.find("certificate"), std::string::npos) << error;
  });
}

/// Forty requests at a server that takes seven at a time, over one connection.
TEST_P(ClientPeers, D13_http2_nginx) {
  if (test::lacks_program("nginx")) return;
  run([]() -> Coro<> {
    Nginx nginx;
    co_await nginx.start(" http2", " ssl http2");
    SessionOptions options;
    options.ssl(pki().client());
    int made = co_await ask_often(nginx.secure / "file", nginx.page, options);
    EXPECT_EQ(made, 1);
    made = co_await ask_often(nginx.secure / "moved", nginx.page, options);
    EXPECT_EQ(made, 1);
    ClientSession session(options);
    ClientResponse said = co_await session.get(nginx.secure / "protocol");
    std::string text = co_await said.text();
    EXPECT_EQ(text, "HTTP/2.0");
    EXPECT_EQ(said.version(), http::Version::http_2);
    ClientResponse zipped = co_await session.get(nginx.secure / "words.txt");
    EXPECT_EQ(zipped.headers().get("Content-Encoding", "-"), "gzip");
    text = co_await zipped.text();
    EXPECT_TRUE(text == nginx.words);
    ClientResponse none = co_await session.head(nginx.secure / "none");
    EXPECT_EQ(none.status(), 404);
    EXPECT_EQ(none.reason(), "Not Found");
    ClientResponse refused = co_await session.post(
        nginx.secure / "file", RequestOptions().data(std::string(300'000, 'x')));
    EXPECT_EQ(refused.status(), 405);
    session.close();
    // Without TLS the server has to be known.
    options.http2(http::Http2::PriorKnowledge);
    made = co_await ask_often(nginx.plain / "file", nginx.page, options);
    EXPECT_EQ(made, 1);
    options.http2(http::Http2::Off);
    made = co_await ask_often(nginx.secure / "file", nginx.page, options);
    EXPECT_GT(made, 1);
  });
}

TEST_P(ClientPeers, S42_python_http_server) {
  run([]() -> Coro<> {
    test::Folder folder;
    std::string page = pattern(100'000);
    folder.write("file", page);
    Program python({"python3", "-u", "-c",
                    "import http.server as h, sys\n"
                    "class H(h.SimpleHTTPRequestHandler):\n"
                    "  protocol_version = 'HTTP/1.1'\n"
                    "  def do_PUT(self):\n"
                    "    n = int(self.headers['Content-Length'])\n"
                    "    data = self.rfile.read(n)\n"
                    "    self.send_response(200)\n"
                    "    self.send_header('Transfer-Encoding', 'chunked')\n"
                    "    self.end_headers()\n"
                    "    for i in range(0, n, 30000):\n"
                    "      part = data[i:i + 30000]\n"
                    "      self.wfile.write(b'%x\\r\\n%s\\r\\n' % (len(part), part))\n"
                    "    self.wfile.write(b'0\\r\\n\\r\\n')\n"
                    "  def log_message(self, *a): pass\n"
                    "s = h.ThreadingHTTPServer(('127.0.0.1', 0),\n"
                    "  lambda *a: H(*a, directory=sys.argv[1]))\n"
                    "print('port', s.server_port)\n"
                    "s.serve_forever()\n",
                    folder.path()});
    std::uint16_t port = co_await test::port_of(python, "port ([0-9]+)\n");
    URL url("http://127.0.0.1:" + std::to_string(port));
    int made = co_await ask_often(url / "file", page, SessionOptions());
    EXPECT_LE(made, 5);
    ClientSession session;
    ClientResponse put =
        co_await session.put(url / "x", RequestOptions().file(folder.file("file")));
    std::string back = co_await put.text();
    EXPECT_TRUE(back == page) << back.size();
    std::string error =
        co_await error_of(session.put(url / "x", RequestOptions().file(folder.file("none"))));
    EXPECT_NE(error.find("FileNotFoundError"), std::string::npos) << error;
    EXPECT_NE(error.find("none"), std::string::npos) << error;
    session.close();
  });
}

}  // namespace
