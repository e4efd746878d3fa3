// SPDX-License-Identifier: BSL-1.0
// CP: HTTP with programs that other people wrote, through a proxy that delays, slices, stalls,
// cuts, corrupts and resets connections. Who asks gets exactly what was sent, or an error that says
// that something is missing, within its limit of time; and the next one is served (R1, R2, R7, R10,
// R14).
#include "asyncio/web/stream_response.hpp"
#include "chaotic.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "served.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using http::ClientResponse;
using http::ClientSession;
using http::Method;
using http::RequestOptions;
using test::base_of;
using test::ChaosProxy;
using test::Climate;
using test::kAtOnce;
using test::kHang;
using test::kLimit;
using test::Outcomes;
using test::pki;
using test::Program;
using test::Weather;
using test::Wire;

constexpr std::size_t kSize = 100'000;

const std::string& content() {
  static const std::string bytes = test::pattern(kSize);
  return bytes;
}

class HttpChaos : public test::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    for (const char* program : {"curl", "nginx"})
      if (!IsSkipped()) test::lacks_program(program);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, HttpChaos, test::real_backends, test::backend_name);

// --- A real server ------------------------------------------------------------------------------

/// One that listens on a port for each wire. Each of its paths has the content; what is posted
/// is noted in a file.
class Nginx {
 public:
  Nginx(std::uint16_t plain, std::uint16_t tls, std::uint16_t http2)
      : ports_{plain, tls, http2},
        process_({"nginx", "-c", folder_.write("nginx.conf", config()), "-e", "stderr"}) {
    folder_.write("file", content());
  }

  static Coro<std::unique_ptr<Nginx>> start() {
    std::uint16_t plain = co_await test::free_port();
    std::uint16_t tls = co_await test::free_port();
    std::uint16_t http2 = co_await test::free_port();
    auto nginx = std::make_unique<Nginx>(plain, tls, http2);
    co_await nginx->until_it_listens();
    co_return nginx;
  }

  std::uint16_t port(Wire wire) const { return ports_[static_cast<std::size_t>(wire)]; }

  /// What was posted more than once.
  std::string repeated() const {
    std::ifstream file(folder_.file("asked"));
    std::set<std::string> seen;
    for (std::string line; std::getline(file, line);)
      if (!seen.insert(line).second) return line;
    return "";
  }

 private:
  std::string config() const {
    std::string temporary, listen, file = folder_.file("file");
    for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
      temporary += std::string(what) + "_temp_path " + folder_.path() + "; ";
    const char* kinds[]{"", " ssl", " ssl http2"};
    for (std::size_t i = 0; i < 3; ++i)
      listen += "listen 127.0.0.1:" + std::to_string(ports_[i]) + kinds[i] + "; ";
    std::string plain = "http://127.0.0.1:" + std::to_string(ports_[0]);
    return "daemon off; master_process off; error_log stderr crit; pid " + folder_.file("pid") +
           ";\nevents {}\nhttp { access_log off; log_format asked '$request_uri'; " + temporary +
           "\nserver { " + listen + "root " + folder_.path() + "; ssl_certificate " +
           pki().localhost.certfile + "; ssl_certificate_key " + pki().localhost.keyfile +
           ";\nlocation /zipped { alias " + file + "; gzip on; gzip_types *; gzip_comp_level 1; }" +
           "\nlocation /last { alias " + file + "; keepalive_timeout 0; }" +
           "\nlocation /posted { access_log " + folder_.file("asked") + " asked; proxy_pass " +
           plain + "/file; proxy_method GET; proxy_pass_request_body off; " +
           "proxy_set_header Content-Length \"\"; } } }\n";
  }

  Coro<> until_it_listens() const {
    for (int i = 0; i < 4000; ++i) {
      auto opened = co_await capture(open_connection("127.0.0.1", ports_[2]));
      if (opened.has_value()) {
        opened.value().second.abort();
        co_return;
      }
      co_await asyncio::sleep(5ms);
    }
    ADD_FAILURE() << "nginx does not listen: " << process_.read_some();
  }

  test::Folder folder_;
  std::array<std::uint16_t, 3> ports_;
  Program process_;
};

// --- Our client ---------------------------------------------------------------------------------

/// "exact", or what the server or the test has against it.
Coro<std::string> ask(ClientSession session, Method method, std::string url,
                      std::chrono::milliseconds limit) {
  RequestOptions options = test::within(limit);
  if (method == Method::POST) options.data(content());
  ClientResponse response = co_await session.request(method, url, options);
  // What has reached the server in part it may refuse.
  if (response.status() == 400) co_return "error: status 400";
  if (response.status() != 200)
    co_return "wrong: status " + std::to_string(response.status().code());
  std::string body = co_await response.read();
  co_return body == content() ? "exact" : "wrong bytes";
}

Coro<std::string> outcome_of(ClientSession session, Method method, std::string url,
                             std::chrono::milliseconds limit = kLimit) {
  return test::outcome_of(ask(session, method, url, limit), limit);
}

/// One request after the other, over what connections the session has.
Coro<> visit(ClientSession session, std::string base, int number, Outcomes& outcomes) {
  std::string posted = base + "/posted?" + std::to_string(number);
  for (int i = 0; i < 2; ++i) {
    std::string got = co_await outcome_of(session, Method::GET, base + "/file");
    outcomes.push_back(got);
    std::string answer = co_await outcome_of(session, Method::POST, posted + std::to_string(i));
    outcomes.push_back(answer);
    std::string unzipped = co_await outcome_of(session, Method::GET, base + "/zipped");
    outcomes.push_back(unzipped);
  }
}

Coro<> visits(ClientSession session, std::string base, Outcomes& outcomes) {
  std::vector<Coro<>> all;
  for (int i = 0; i < kAtOnce; ++i) all.push_back(visit(session, base, i, outcomes));
  co_await gather(std::move(all));
}

/// As many at once as there were: each place of the pool is free, and each connection whole.
Coro<> expect_whole(ClientSession session, std::string base, std::string which) {
  std::vector<Coro<std::string>> all;
  for (int i = 0; i < kAtOnce; ++i)
    all.push_back(outcome_of(session, Method::GET, base + "/file", kHang));
  Outcomes outcomes = co_await gather(std::move(all));
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "exact") << which;
}

Coro<int> browse(const Nginx& nginx, std::uint64_t seed, Wire wire) {
  Climate climate;
  climate.corrupts = wire != Wire::plain;
  ChaosProxy proxy(nginx.port(wire), seed, climate);
  co_await proxy.open();
  // Fewer than there are visitors: a place that is lost is missed.
  ClientSession session(test::session_options(wire).limit(kAtOnce / 2));
  std::string base = base_of(wire, proxy.port());
  Outcomes outcomes;
  co_await visits(session, base, outcomes);
  int exact = test::count_exact(outcomes, proxy);
  proxy.calm();
  co_await expect_whole(session, base, "through fair weather\n" + proxy.log());
  co_await expect_whole(session, base_of(wire, nginx.port(wire)), "past the proxy");
  session.close();
  co_await proxy.close();
  EXPECT_EQ(nginx.repeated(), "") << "is no request that may come twice\n" << proxy.log();
  co_return exact;
}

TEST_P(HttpChaos, random_weather_between_our_session_and_nginx) {
  test::for_each_chaos(options(), [&](std::uint64_t seed, Wire wire) -> Coro<int> {
    std::unique_ptr<Nginx> nginx = co_await Nginx::start();
    int exact = co_await browse(*nginx, seed, wire);
    co_return exact;
  });
}

/// What came before a reset counts, if it is all: nobody may take it for lost.
TEST_P(HttpChaos, random_a_whole_reply_and_then_a_reset) {
  test::for_each_chaos(options(), [&](std::uint64_t seed, Wire wire) -> Coro<int> {
    if (wire == Wire::http2) co_return kAtOnce;  // its connections have no last reply
    std::unique_ptr<Nginx> nginx = co_await Nginx::start();
    Climate climate;
    climate.always = Weather::Condition::replied;
    climate.quiet = kHang;  // nginx ends it
    ChaosProxy proxy(nginx->port(wire), seed, climate);
    co_await proxy.open();
    ClientSession session(test::session_options(wire));
    std::string last = base_of(wire, proxy.port()) + "/last";
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < kAtOnce; ++i) all.push_back(outcome_of(session, Method::GET, last, kHang));
    Outcomes outcomes = co_await gather(std::move(all));
    EXPECT_EQ(test::count_exact(outcomes, proxy), kAtOnce) << outcomes.front() << "\n"
                                                           << proxy.log();
    session.close();
    co_await proxy.close();
    co_return kAtOnce;
  });
}

// --- Our server ---------------------------------------------------------------------------------

Coro<web::Response> in_chunks(web::Request& request) {
  web::StreamResponse stream;
  co_await stream.prepare(request);
  for (std::size_t at = 0; at < kSize; at += 7'000)
    co_await stream.write(content().substr(at, 7'000));
  web::Response sent = co_await stream.write_eof();
  co_return sent;
}

web::Application application() {
  web::Application app;
  app.get("/file", [](web::Request&) -> Coro<web::Response> {
    web::Response response;
    co_return response.body(content());
  });
  app.get("/chunks", in_chunks);
  app.post("/whole", [](web::Request& request) -> Coro<web::Response> {
    web::Response response;
    std::string body = co_await request.read();
    co_return response.body(std::move(body));
  });
  app.post("/stream", test::stream_back);
  return app;
}

/// The n-th request of curl: where to and with what.
std::vector<std::string> words_of(int number, const std::string& base, const std::string& file) {
  switch (number % 4) {
    case 0:
      return {base + "/file"};
    case 1:
      return {base + "/chunks"};
    case 2:
      return {"--data-binary", "@" + file, base + "/whole"};
    default:
      return {"--data-binary", "@" + file, base + "/stream"};
  }
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Curl {
 public:
  explicit Curl(Wire wire) : wire_(wire) { folder_.write("content", content()); }

  /// What it gets, by its exit status: "exact", "error: ..." or what is wrong. It calls a head that
  /// ends in the middle a success, and shows it; without TLS no server could tell it more.
  Coro<std::string> ask(std::uint16_t port, int number, std::chrono::milliseconds limit) const {
    std::string file = folder_.file(std::to_string(number));
    std::filesystem::remove(file);  // an earlier one's
    Program curl(command(port, number, file, limit));
    std::string text = co_await test::output_until(curl, "[0-9]+ done [0-9]+\n");
    if (text.find("0 done") != 0) co_return "error: " + std::to_string(number) + ": " + text;
    std::string got = content_of(file);
    std::size_t head = got.find("\r\n\r\n");
    if (head == std::string::npos && wire_ == Wire::plain) co_return "error: the head is cut";
    if (text == "0 done 400\n") co_return "error: status 400";
    bool exact = head != std::string::npos && got.substr(head + 4) == content();
    co_return exact ? "exact" : "wrong bytes: " + text + got.substr(0, 300);
  }

  /// So many at once.
  Coro<Outcomes> ask_all(std::uint16_t port, std::chrono::milliseconds limit) const {
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < kAtOnce; ++i) all.push_back(ask(port, i, limit));
    return gather_all(std::move(all));
  }

 private:
  static Coro<Outcomes> gather_all(std::vector<Coro<std::string>> all) {
    Outcomes outcomes = co_await gather(std::move(all));
    co_return outcomes;
  }

  std::vector<std::string> command(std::uint16_t port, int number, const std::string& file,
                                   std::chrono::milliseconds limit) const {
    std::string time = std::to_string(std::chrono::duration<double>(limit).count());
    std::vector<std::string> words{"curl", "-sSi", "--noproxy", "*", "--max-time", time};
    for (const std::string& word :
         {std::string("--cacert"), pki().root.certfile, std::string("-o"), file, std::string("-w"),
          std::string("%{exitcode} done %{http_code}\n")})
      words.push_back(word);
    words.push_back(wire_ == Wire::http2 ? "--http2" : "--http1.1");
    for (const std::string& word : words_of(number, base_of(wire_, port), folder_.file("content")))
      words.push_back(word);
    return words;
  }

  test::Folder folder_;
  Wire wire_;
};

/// All there is, through the proxy: nothing of what was before is left. Over HTTP/2 our client
/// asks: curl 7.88 now and then waits for more when it has all, it seems (issue 10525).
Coro<> expect_served(const Curl& curl, Wire wire, const ChaosProxy& proxy) {
  Outcomes outcomes;
  if (wire == Wire::http2) {
    ClientSession session(test::session_options(wire));
    std::string base = base_of(wire, proxy.port());
    std::vector<Coro<std::string>> all;
    for (int i = 0; i < kAtOnce; ++i) {
      all.push_back(outcome_of(session, Method::GET, base + (i % 2 ? "/chunks" : "/file"), kHang));
      all.push_back(
          outcome_of(session, Method::POST, base + (i % 2 ? "/whole" : "/stream"), kHang));
    }
    outcomes = co_await gather(std::move(all));
    session.close();
  } else {
    outcomes = co_await curl.ask_all(proxy.port(), kHang / 2);
  }
  for (const std::string& outcome : outcomes) EXPECT_EQ(outcome, "exact") << proxy.log();
}

Coro<int> curls(std::uint64_t seed, Wire wire) {
  test::LogCapture log;
  Curl curl(wire);
  web::AppRunner runner = co_await test::serve_over(wire, application());
  std::uint16_t port = runner.addresses().at(0).port();
  Climate climate;
  climate.corrupts = wire != Wire::plain;
  ChaosProxy proxy(port, seed, climate);
  co_await proxy.open();
  Outcomes outcomes = co_await curl.ask_all(proxy.port(), kLimit);
  int exact = test::count_exact(outcomes, proxy);
  proxy.calm();
  co_await expect_served(curl, wire, proxy);
  co_await proxy.close();
  co_await wait_for(runner.cleanup(), kHang);
  EXPECT_TRUE(log.records.empty()) << log.all() << proxy.log();
  co_return exact;
}

TEST_P(HttpChaos, random_weather_between_curl_and_our_application) {
  test::for_each_chaos(options(), [](std::uint64_t seed, Wire wire) { return curls(seed, wire); });
}

// --- Both ---------------------------------------------------------------------------------------

/// With a session, and so a connection, of its own.
Coro<std::string> post_alone(Wire wire, std::uint16_t port, std::chrono::milliseconds limit) {
  ClientSession session(test::session_options(wire));
  std::string url = base_of(wire, port) + "/whole";
  std::string outcome = co_await outcome_of(session, Method::POST, url, limit);
  session.close();
  co_return outcome;
}

/// A bit behind the handshake, and before the end of the body, there or back.
Coro<int> corrupted_posts(std::uint64_t seed, Wire wire) {
  test::LogCapture log;
  web::AppRunner runner = co_await test::serve_over(wire, application());
  std::uint16_t port = runner.addresses().at(0).port();
  Climate climate;
  climate.always = Weather::Condition::corrupted;
  climate.least = 5'000;
  climate.soon = climate.most = static_cast<int>(kSize) - 5'000;
  ChaosProxy proxy(port, seed, climate);
  co_await proxy.open();
  std::vector<Coro<std::string>> all;
  for (int i = 0; i < kAtOnce; ++i) all.push_back(post_alone(wire, proxy.port(), kLimit));
  Outcomes outcomes = co_await gather(std::move(all));
  EXPECT_EQ(test::count_exact(outcomes, proxy), 0) << proxy.log();
  co_await proxy.close();
  std::string direct = co_await post_alone(wire, port, kHang);
  EXPECT_EQ(direct, "exact");
  co_await wait_for(runner.cleanup(), kHang);
  EXPECT_TRUE(log.records.empty()) << log.all() << proxy.log();
  co_return 1;
}

TEST_P(HttpChaos, random_corruption_between_our_client_and_our_server_is_an_error) {
  test::for_each_chaos(options(), [](std::uint64_t seed, Wire wire) -> Coro<int> {
    if (wire == Wire::plain) co_return 1;  // where nobody can tell
    int done = co_await corrupted_posts(seed, wire);
    co_return done;
  });
}

}  // namespace
