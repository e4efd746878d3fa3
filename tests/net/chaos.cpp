// SPDX-License-Identifier: BSL-1.0
// CP: connections with programs that other people wrote, through a proxy that delays, slices,
// stalls, cuts and resets them. Who asks gets exactly what was sent, or an error that says that
// something is missing, within its limit of time (R1, R2, R7, R10, R14).
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "chaos_proxy.hpp"
#include "connected.hpp"
#include "peers.hpp"
#include "program_output.hpp"
#include "rounds.hpp"
#include "seeds.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::ChaosProxy;
using test::pattern;
using test::pki;
using test::Program;

constexpr std::size_t kSize = 300'000;
constexpr std::chrono::milliseconds kLimit = test::kSanitized ? 3000ms : 700ms;
constexpr auto kPatience = 20s;  // a hang, for the test
constexpr int kAtOnce = 8;

/// Seeds of a sample; ASYNCIO_SEEDS asks for more.
constexpr std::uint64_t kSample = 3;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Chaos : public test::BackendTest {
 protected:
  void SetUp() override {
    BackendTest::SetUp();
    for (const char* program : {"curl", "nginx", "openssl"})
      if (!IsSkipped()) test::lacks_program(program);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Chaos, test::real_backends, test::backend_name);

// --- Our client ---------------------------------------------------------------------------------

/// "exact", an error's description, or what is wrong.
Coro<std::string> download(std::uint16_t port, bool tls) {
  ConnectOptions options;
  if (tls) options.ssl(pki().client()).server_hostname("localhost");
  auto [reader, writer] = co_await open_connection("127.0.0.1", port, options);
  writer.write("GET /file HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::string head = co_await reader.readuntil("\r\n\r\n");
  std::smatch length;
  if (!std::regex_search(head, length, std::regex("Content-Length: ([0-9]+)")))
    co_return "wrong: " + head;
  std::string body = co_await reader.readexactly(std::stoul(length[1]));
  writer.close();
  (void)co_await capture(writer.wait_closed());
  co_return body == pattern(kSize) ? "exact" : "wrong bytes";
}

Coro<std::string> outcome_of_download(std::uint16_t port, bool tls) {
  auto outcome = co_await capture(wait_for(download(port, tls), kLimit));
  if (outcome.has_value()) co_return outcome.value();
  bool clear = outcome.holds<OSError>() || outcome.holds<IncompleteReadError>();
  co_return (clear ? "error: " : "wrong: ") + describe_exception(outcome.exception());
}

/// All bytes, or an error: nothing else will do.
int count_exact(const std::vector<std::string>& outcomes, const ChaosProxy& proxy) {
  int exact = 0;
  for (const std::string& outcome : outcomes) {
    EXPECT_TRUE(outcome == "exact" || outcome.starts_with("error: ")) << outcome << "\n"
                                                                      << proxy.log();
    exact += outcome == "exact" ? 1 : 0;
  }
  return exact;
}

/// So many at once, through one proxy.
Coro<int> downloads(std::uint16_t server, std::uint64_t seed, bool tls) {
  ChaosProxy proxy(server, seed);
  co_await proxy.open();
  TimePoint begin = get_running_loop().time();
  std::vector<Coro<std::string>> all;
  for (int i = 0; i < kAtOnce; ++i) all.push_back(outcome_of_download(proxy.port(), tls));
  std::vector<std::string> outcomes = co_await gather(std::move(all));
  EXPECT_LT(get_running_loop().time() - begin, kLimit + 1s) << proxy.log();
  int exact = count_exact(outcomes, proxy);
  co_await proxy.close();
  co_return exact;
}

Program nginx(const test::Folder& folder, std::uint16_t port, bool tls) {
  folder.write("file", pattern(kSize));
  std::string listen = "listen 127.0.0.1:" + std::to_string(port);
  if (tls)
    listen += " ssl; ssl_certificate " + pki().localhost.certfile + "; ssl_certificate_key " +
              pki().localhost.keyfile;
  std::string temporary;
  for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    temporary += std::string(what) + "_temp_path " + folder.path() + "; ";
  std::string config = folder.write(
      "nginx.conf", "daemon off; master_process off; error_log stderr crit; pid " +
                        folder.file("pid") + ";\nevents {}\nhttp { access_log off; " + temporary +
                        "server { " + listen + "; root " + folder.path() + "; } }\n");
  return Program({"nginx", "-c", config, "-e", "stderr"});
}

Coro<> until_it_listens(std::uint16_t port) {
  for (int tries = 0; tries < 1000; ++tries) {
    auto opened = co_await capture(open_connection("127.0.0.1", port));
    if (opened.has_value()) {
      opened.value().second.close();
      co_return;
    }
    co_await asyncio::sleep(5ms);
  }
  ADD_FAILURE() << "nginx does not listen";
}

TEST_P(Chaos, random_weather_between_our_client_and_nginx) {
  for (bool tls : {false, true}) {
    test::Folder folder;
    std::uint16_t port = asyncio::run(test::free_port());
    Program server = nginx(folder, port, tls);
    int exact = 0;
    auto once = [&](std::uint64_t seed) {
      auto main = [&]() -> Coro<> {
        co_await until_it_listens(port);
        int got = co_await downloads(port, seed, tls);
        exact += got;
      };
      asyncio::run(main(), options());
    };
    test::for_each_seed(once, kSample);
    EXPECT_TRUE(exact > 0 || std::getenv("SEED")) << "nothing ever arrived";
  }
}

// --- Our server ---------------------------------------------------------------------------------

Coro<> answer(StreamReader reader, StreamWriter writer) {
  co_await reader.readuntil("\r\n\r\n");
  writer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(kSize) +
               "\r\n\r\n");
  co_await writer.send(pattern(kSize));
  writer.close();
  co_await writer.wait_closed();
}

/// What curl downloads, by its exit status: "exact", "error: ..." or what is wrong. It calls a head
/// that ends in the middle a success, and shows it; without TLS no server could tell it more.
Coro<std::string> outcome_of_curl(std::uint16_t port, bool tls, std::string file) {
  std::string limit = std::to_string(std::chrono::duration<double>(kLimit).count());
  std::filesystem::remove(file);  // an earlier one's
  std::string url = (tls ? "https" : "http") + ("://127.0.0.1:" + std::to_string(port)) + "/";
  Program curl({"curl", "-sSi", "--max-time", limit, "--cacert", pki().root.certfile, "-o", file,
                "-w", "%{exitcode} done\n", url});
  std::string text = co_await test::output_until(curl, "[0-9]+ done\n");
  if (text.find("0 done") != 0) co_return "error: " + text;
  std::string got = content_of(file);
  std::size_t head = got.find("\r\n\r\n");
  if (head == std::string::npos && !tls) co_return "error: the head is cut";
  bool exact = head != std::string::npos && got.substr(head + 4) == pattern(kSize);
  co_return exact ? "exact" : "wrong bytes";
}

Coro<int> curls(std::uint64_t seed, bool tls, const test::Folder& folder) {
  ServerOptions options;
  if (tls) options.ssl(pki().server());
  Server server = co_await start_server(answer, "127.0.0.1", 0, options);
  ChaosProxy proxy(server.sockets().at(0).port(), seed);
  co_await proxy.open();
  std::vector<Coro<std::string>> all;
  for (int i = 0; i < kAtOnce; ++i)
    all.push_back(outcome_of_curl(proxy.port(), tls, folder.file(std::to_string(i))));
  std::vector<std::string> outcomes = co_await gather(std::move(all));
  int exact = count_exact(outcomes, proxy);
  co_await proxy.close();
  server.close();
  server.abort_clients();
  co_await wait_for(server.wait_closed(), kPatience);
  co_return exact;
}

TEST_P(Chaos, random_weather_between_curl_and_our_server) {
  test::LogCapture log;  // of handlers whose client is gone
  for (bool tls : {false, true}) {
    test::Folder folder;
    int exact = 0;
    auto once = [&](std::uint64_t seed) {
      auto main = [&]() -> Coro<> {
        int got = co_await curls(seed, tls, folder);
        exact += got;
      };
      asyncio::run(main(), options());
    };
    test::for_each_seed(once, kSample);
    EXPECT_TRUE(exact > 0 || std::getenv("SEED")) << "nothing ever arrived";
  }
}

}  // namespace
