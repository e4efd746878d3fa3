// SPDX-License-Identifier: BSL-1.0
// curl as the client of a whole server.
#include "asyncio/web/static_files.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "raw_client.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::count_of;
using test::pattern;
using test::pki;
using test::Program;

namespace {

class ServerCurl : public test::BackendTest {
 public:
  void SetUp() override {
    BackendTest::SetUp();
    if (!IsSkipped()) test::lacks_program("curl");
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, ServerCurl, test::real_backends, test::backend_name);

/// What curl prints: the bodies, and "[status connects]" behind each.
Coro<std::string> curl(std::vector<std::string> words) {
  std::string line = "curl -sS --max-time 20 --noproxy '*' -w '[%{http_code} %{num_connects}]' ";
  for (const std::string& word : words) line += "'" + word + "' ";
  Program shell({"sh", "-c", line + "</dev/null; echo \" exit $?\""});
  std::string text = co_await test::output_until(shell, " exit [0-9]+\n");
  co_return text;
}

web::Application application(const std::string& folder) {
  web::Application app;
  app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("hello"); });
  app.add_route("*", "/size", [](web::Request& request) -> Coro<web::Response> {
    std::size_t size = 0;
    while (true) {
      std::string_view some = co_await request.read_some();
      if (some.empty()) break;
      size += some.size();
    }
    co_return web::Response(std::string(request.method().str()) + " " + std::to_string(size));
  });
  app.post("/form", [](web::Request& request) -> Coro<web::Response> {
    web::PostData form = co_await request.post();
    std::string text;
    for (const auto& [name, value] : form) text += name + "=" + value + ";";
    for (const auto& file : form.files())
      text += file.name + ":" + file.filename + ":" + std::to_string(file.content.size()) + ";";
    co_return web::Response(text);
  });
  app.add_route("*", "/refused", [](web::Request&) -> Coro<web::Response> {
    throw web::HTTPForbidden();
    co_return web::Response();
  });
  app.get("/stream", [](web::Request& request) -> Coro<web::Response> {
    web::StreamResponse stream;
    co_await stream.prepare(request);
    for (int i = 0; i < 5; ++i) co_await stream.write(std::to_string(i));
    web::Response response = co_await stream.write_eof();
    co_return response;
  });
  app.get("/files/{name...}", web::StaticFiles(folder));
  return app;
}

/// What curl is told, and what it then prints. Not in the coroutine: g++ 12 refuses the lists
/// there.
using Case = std::pair<std::vector<std::string>, std::string>;
std::vector<Case> cases_of_http1(const std::string& url, const test::Folder& folder) {
  std::string large = "@" + folder.file("large");
  return {{{"--http1.0", url + "/"}, "hello[200 1] exit 0\n"},
          {{"--http1.0", url + "/stream"}, "01234[200 1] exit 0\n"},
          {{"-H", "Transfer-Encoding: chunked", "--data-binary", large, url + "/size"},
           "POST 3000000[200 1] exit 0\n"}};
}
/// curl 7.88 with prior knowledge breaks its connection when it uses it again.
std::vector<Case> cases_of_reuse(const std::string& url) {
  return {{{url + "/", url + "/", url + "/none"},
           "hello[200 1]hello[200 0]404: Not Found[404 0] exit 0\n"}};
}
std::vector<Case> cases_of_all(const std::string& url, const test::Folder& folder) {
  std::string large = "@" + folder.file("large");
  return {
      {{"-d", "abc", url + "/size"}, "POST 3[200 1] exit 0\n"},
      {{"--data-binary", large, url + "/size"}, "POST 3000000[200 1] exit 0\n"},
      {{"-T", folder.file("large"), url + "/size"}, "PUT 3000000[200 1] exit 0\n"},
      {{"-T", "-", url + "/size"}, "PUT 0[200 1] exit 0\n"},
      {{"-H", "Expect: 100-continue", "-d", "abc", url + "/size"}, "POST 3[200 1] exit 0\n"},
      {{"-d", "a=1", "--data-urlencode", "b=x y&z", url + "/form"}, "a=1;b=x y&z;[200 1] exit 0\n"},
      {{"-F", "a=1", "-F", "f=@" + folder.file("page.txt"), url + "/form"},
       "a=1;f:page.txt:10;[200 1] exit 0\n"},
      {{"--data-binary", large, "-H", "Expect: 100-continue", url + "/refused"},
       "403: Forbidden[403 1] exit 0\n"},
      {{"--data-binary", large, "-H", "Expect:", url + "/refused"},
       "403: Forbidden[403 1] exit 0\n"},
      {{"-H", "Expect: miracles", url + "/"}, "417: Expectation Failed[417 1] exit 0\n"},
      {{"-N", url + "/stream"}, "01234[200 1] exit 0\n"},
      {{"-r", "2-4", url + "/files/page.txt"}, "234[206 1] exit 0\n"},
      {{"-C", "7", url + "/files/page.txt"}, "789[206 1] exit 0\n"},
      {{"-o", "/dev/null", url + "/files/large"}, "[200 1] exit 0\n"},
      {{"--path-as-is", url + "/files/../../etc/passwd"}, "404: Not Found[404 1] exit 0\n"}};
}

enum class Version { http_1, http_2 };

std::vector<std::string> trusting(std::vector<std::string> words, Version version, bool tls) {
  words.insert(words.begin(), {"--cacert", pki().root.certfile});
  if (version == Version::http_2)
    words.insert(words.begin(), tls ? "--http2" : "--http2-prior-knowledge");
  return words;
}

std::vector<std::string> head_of(const std::string& url) { return {"-I", url + "/"}; }

ServerOptions with_tls(Version version) {
  TlsContext context = pki().server();
  if (version == Version::http_2) context.set_alpn_protocols({"h2", "http/1.1"});
  return ServerOptions().ssl(context);
}

/// Plain, and over TLS, and in both versions: the same answers.
Coro<> expect_answers(Version version, bool tls) {
  test::Folder folder;
  folder.write("page.txt", "0123456789");
  folder.write("large", pattern(3'000'000));
  web::RunnerOptions settings;
  settings.http2_prior_knowledge(version == Version::http_2 && !tls);
  web::AppRunner runner(application(folder.path()), settings);
  co_await runner.setup();
  ServerOptions options;
  if (tls) options = with_tls(version);
  web::TCPSite site(runner, "127.0.0.1", 0, options);
  co_await site.start();
  std::string url = std::string(tls ? "https" : "http") +
                    "://127.0.0.1:" + std::to_string(runner.addresses().at(0).port());
  std::vector<Case> cases = cases_of_all(url, folder);
  if (version == Version::http_1)
    for (Case& more : cases_of_http1(url, folder)) cases.push_back(std::move(more));
  if (version == Version::http_1 || tls)
    for (Case& more : cases_of_reuse(url)) cases.push_back(std::move(more));
  for (const auto& [words, expected] : cases) {
    std::string said = co_await curl(trusting(words, version, tls));
    EXPECT_EQ(said, expected) << words.back();
  }
  std::string head = co_await curl(trusting(head_of(url), version, tls));
  const bool is_http2 = version == Version::http_2;
  EXPECT_EQ(count_of(head, is_http2 ? "content-length: 5\r\n" : "Content-Length: 5\r\n"), 1u)
      << head;
  EXPECT_TRUE(head.starts_with(is_http2 ? "HTTP/2 200" : "HTTP/1.1 200")) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n[200 1] exit 0\n")) << head;
  co_await runner.cleanup();
}

std::vector<std::string> of_page(const std::string& url) {
  return trusting({url}, Version::http_1, true);
}

TEST_P(ServerCurl, D13_run_app_over_tls) {
  run([]() -> Coro<> {
    ::testing::internal::CaptureStdout();
    web::Application app;
    app.get("/", [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(request.secure() ? "secure" : "plain");
    });
    Server scout = co_await start_server([](StreamReader, StreamWriter) {}, "127.0.0.1", 0);
    std::uint16_t port = scout.sockets().at(0).port();
    scout.close();
    co_await scout.wait_closed();
    auto serving = create_task(
        web::serve_app(std::move(app), "127.0.0.1", port, {}, ServerOptions().ssl(pki().server())));
    for (bool is_there = false; !is_there; co_await sleep(1ms)) {
      auto probe = co_await capture(open_connection("127.0.0.1", port));
      is_there = static_cast<bool>(probe);
    }
    std::string url = "https://127.0.0.1:" + std::to_string(port) + "/";
    std::string said = co_await curl(of_page(url));
    EXPECT_EQ(said, "secure[200 1] exit 0\n");
    serving.cancel();
    auto ended = co_await capture(serving);
    EXPECT_TRUE(ended.cancelled());
    std::string where = ::testing::internal::GetCapturedStdout();
    EXPECT_TRUE(where.starts_with("======== Running on https://127.0.0.1:")) << where;
  });
}

TEST_P(ServerCurl, fault127_D13_plain) { run(expect_answers, Version::http_1, false); }
TEST_P(ServerCurl, fault127_D13_over_tls) { run(expect_answers, Version::http_1, true); }
#ifdef ASYNCIO_HAS_NGHTTP2
TEST_P(ServerCurl, fault127_D13_http2_with_prior_knowledge) {
  run(expect_answers, Version::http_2, false);
}
TEST_P(ServerCurl, fault127_D13_http2_by_alpn) { run(expect_answers, Version::http_2, true); }

/// What a program prints of many requests at a time.
Coro<std::string> output_of(std::string line) {
  Program shell({"sh", "-c", line + " </dev/null 2>/dev/null; echo \" exit $?\""});
  std::string text = co_await test::output_until(shell, " exit [0-9]+\n");
  co_return text;
}

/// h2load counts; nghttp shows bodies.
Coro<> expect_load(bool tls) {
  test::Folder folder;
  folder.write("large", pattern(100'000));
  web::RunnerOptions settings;
  settings.http2_prior_knowledge(!tls);
  web::AppRunner runner(application(folder.path()), settings);
  co_await runner.setup();
  ServerOptions options;
  if (tls) options = with_tls(Version::http_2);
  web::TCPSite site(runner, "127.0.0.1", 0, options);
  co_await site.start();
  std::string url = std::string(tls ? "https" : "http") +
                    "://127.0.0.1:" + std::to_string(runner.addresses().at(0).port());
  std::string said = co_await output_of("h2load -n 2000 -c 10 -m 20 " + url + "/");
  EXPECT_EQ(count_of(said, "2000 succeeded, 0 failed, 0 errored, 0 timeout"), 1u) << said;
  EXPECT_EQ(count_of(said, "status codes: 2000 2xx"), 1u) << said;
  std::string large = folder.file("large");
  said = co_await output_of("h2load -n 100 -c 4 -m 10 -d " + large + " " + url + "/size");
  EXPECT_EQ(count_of(said, "status codes: 100 2xx"), 1u) << said;
  said = co_await output_of("h2load -n 100 -c 4 -m 10 " + url + "/files/large");
  EXPECT_EQ(count_of(said, "status codes: 100 2xx"), 1u) << said;
  EXPECT_EQ(count_of(said, "(10000000) data"), 1u) << said;
  said = co_await output_of("nghttp " + url + "/ " + url + "/stream");
  EXPECT_TRUE(said == "hello01234 exit 0\n" || said == "01234hello exit 0\n") << said;
  co_await runner.cleanup();
}

TEST_P(ServerCurl, L2_many_requests_over_http2) {
  if (test::lacks_program("h2load")) return;
  run(expect_load, false);
  run(expect_load, true);
}
#endif

}  // namespace
