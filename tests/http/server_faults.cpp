// SPDX-License-Identifier: BSL-1.0
// What clients do wrong (faults 115 to 122, 127, 136): raw bytes for a whole server, on simulated
// connections and their clock, so that an idle connection ends at once.
#include "allocation_count.hpp"
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::count_of;
using test::exchange;
using test::get;
using test::Notes;
using test::post;
using test::serve;
using test::Served;

namespace {

/// Time passes when nothing else can happen.
class ServerFaults : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerFaults, ::testing::Values("simulated"),
                         test::backend_name);

/// Each is refused with one of the statuses, whole and cut at each byte, and what stands behind it
/// is no request.
Coro<> expect_refused(std::vector<std::string> requests, std::vector<int> statuses,
                      bool each_byte = true) {
  Notes notes;
  Served served = co_await serve(notes.application());
  for (const std::string& request : requests) {
    std::string bytes = request + get("/smuggled");
    std::string whole = co_await exchange(served.port(), bytes);
    bool right = std::ranges::any_of(statuses, [&](int status) {
      return whole.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
    });
    EXPECT_TRUE(right) << request.substr(0, 200) << "\n" << whole;
    EXPECT_EQ(count_of(whole, "HTTP/1.1 "), 1u) << request.substr(0, 200) << "\n" << whole;
    EXPECT_EQ(count_of(whole, "Connection: close"), 1u) << whole;
    for (std::size_t i = 1; each_byte && i < bytes.size(); ++i) {
      std::vector<std::string> pieces{bytes.substr(0, i), bytes.substr(i)};
      std::string split = co_await exchange(served.port(), pieces);
      EXPECT_EQ(test::without_dates(split), test::without_dates(whole))
          << request.substr(0, 200) << " cut at " << i;
    }
  }
  EXPECT_EQ(std::ranges::count_if(
                notes.lines,
                [](const std::string& line) { return line.find("smuggled") != std::string::npos; }),
            0);
  co_await served.cleanup();
}

TEST_P(ServerFaults, fault115_two_ways_to_say_how_long_a_body_is) {
  run(expect_refused,
      std::vector<std::string>{
          post("/", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
          post("/", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"),
          post("/", "Content-Length: 5\r\nContent-Length: 6\r\n", "01234"),
          post("/", "Content-Length: 5\r\nContent-Length: 5\r\n", "01234"),
          post("/", "Content-Length: 5, 5\r\n", "01234")},
      std::vector<int>{400}, true);
}

TEST_P(ServerFaults, fault116_lengths_that_are_none) {
  std::vector<std::string> requests;
  for (const char* length : {"+5", "-1", "0x5", "5_0", "1e2", "\xd9\xa3", "\" 5\"", "",
                             "18446744073709551616", "18446744073709551621"})
    requests.push_back(post("/", "Content-Length: " + std::string(length) + "\r\n", "01234"));
  run(expect_refused, requests, std::vector<int>{400}, true);
}

TEST_P(ServerFaults, fault117_codings_of_the_transfer) {
  std::vector<std::string> requests;
  for (const char* coding : {"xchunked", "chunked, identity", "chunked, chunked", ",chunked",
                             "\x0b"
                             "chunked",
                             "gzip, chunked"})
    requests.push_back(
        post("/", "Transfer-Encoding: " + std::string(coding) + "\r\n", "0\r\n\r\n"));
  requests.push_back("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
  run(expect_refused, requests, std::vector<int>{400, 501}, true);
}

TEST_P(ServerFaults, fault118_lines_and_names) {
  std::vector<std::string> requests;
  for (std::string lines :
       {std::string("Host: h\nX: y\r\n"), std::string("Host: h\rX: y\r\n"),
        std::string("Host: h\r\nX: y\r\n folded\r\n"), std::string("Host : h\r\n"),
        std::string("Host: h\r\nX: \0\r\n", 15), std::string("Host: h\r\nX: \x01\r\n"),
        std::string("Host: h\r\n: y\r\n"), std::string("Host: h\r\nno colon\r\n"),
        std::string("Host: h\r\n\xc3\xa4: y\r\n")})
    requests.push_back("GET /secret HTTP/1.1\r\n" + lines + "\r\n");
  run(expect_refused, requests, std::vector<int>{400}, true);
}

/// The answer to a HEAD has no body, also when what stands behind its head is refused.
TEST_P(ServerFaults, fault119_a_head_request_is_refused_without_a_body) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application());
    const std::string head = "HEAD / HTTP/1.1\r\nHost: h\r\n";
    const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
    const std::string pieces = chunked + "no chunk\r\n";
    std::string answer = co_await exchange(served.port(), pieces);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("\r\n\r\n")) << answer;
    answer = co_await exchange(served.port(), chunked);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ") && answer.ends_with("\r\n\r\n")) << answer;
    const std::string expecting = head + "Expect: miracles\r\n\r\n";
    answer = co_await exchange(served.port(), expecting);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 417 ") && answer.ends_with("\r\n\r\n")) << answer;
    co_await served.cleanup();
  });
}

TEST_P(ServerFaults, fault118_an_error_repeats_nothing_of_what_came) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application());
    std::string answer = co_await exchange(
        served.port(), get("/first-secret") + get("/second-secret", "X: \x01third-secret\r\n"));
    EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 2u) << answer;
    EXPECT_EQ(count_of(answer, "secret"), 0u) << answer;
    co_await served.cleanup();
  });
}

TEST_P(ServerFaults, fault119_chunks) {
  std::vector<std::string> requests;
  for (std::string body :
       {"10000000000000000\r\nx", "-2\r\nx", "+1\r\nx", "0x1\r\nx", "1 \r\nx\r\n0\r\n\r\n",
        "1\nx\r\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1;a\nb\r\nx\r\n0\r\n\r\n",
        "1\r\nx\r\n0\r\nbad trailer\r\n\r\n", "1\r\nx\r\n0\r\nContent-Length: 3\r\n\r\n"})
    requests.push_back(post("/", "Transfer-Encoding: chunked\r\n", body));
  run(expect_refused, requests, std::vector<int>{400}, true);
  std::string extension = "1;" + std::string(1 << 20, 'e') + "\r\nx\r\n0\r\n\r\n";
  run(expect_refused,
      std::vector<std::string>{post("/", "Transfer-Encoding: chunked\r\n", extension)},
      std::vector<int>{400}, false);
}

TEST_P(ServerFaults, fault120_start_lines_and_hosts) {
  run(expect_refused,
      std::vector<std::string>{
          "GET /\r\n\r\n", "GET / HTTP/2.0\r\nHost: h\r\n\r\n", "GET / HTTP/1.2\r\nHost: h\r\n\r\n",
          "GET / http/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
          "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
      std::vector<int>{400, 505}, true);
  run(expect_refused,
      std::vector<std::string>{std::string(65536, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n"},
      std::vector<int>{400}, false);
}

TEST_P(ServerFaults, fault120_the_host_of_an_absolute_target_counts) {
  run([]() -> Coro<> {
    web::Application app;
    app.get("/x", [](web::Request& request) -> Coro<web::Response> {
      co_return web::Response(std::string(request.host()));
    });
    Served served = co_await serve(std::move(app));
    std::string answer = co_await exchange(
        served.port(), "GET http://a:80/x?y HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.ends_with("\r\n\r\na:80")) << answer;
    co_await served.cleanup();
  });
}

struct Excess {
  const char* what;
  std::string bytes;
  std::size_t taken;  // of the bytes, until it is refused
  std::string answer;
  std::ptrdiff_t memory;  // the limit, and what a connection has besides
};

std::vector<Excess> excesses() {
  constexpr std::ptrdiff_t kBesides = 64 << 10;
  constexpr std::size_t kLine = 8192, kHead = 65536, kBody = 1 << 20;
  const std::string begin = "GET / HTTP/1.1\r\n", field = "X: " + std::string(8000, 'x') + "\r\n";
  std::string fields = begin, fields_of_head = begin;
  for (int i = 0; i < 129; ++i) fields += "X: y\r\n";
  for (int i = 0; i < 9; ++i) fields_of_head += field;
  const std::string chunked = post("/", "Transfer-Encoding: chunked\r\n");
  return {
      {"line", "GET /" + std::string(9000, 'x'), kLine, "HTTP/1.1 414", kLine + kBesides},
      {"field", begin + "X: " + std::string(9000, 'x'), begin.size() + kLine, "HTTP/1.1 431",
       kLine + kBesides},
      {"fields", fields + "\r\n", begin.size() + 6 * std::size_t{128}, "HTTP/1.1 431",
       kLine + kBesides},
      {"head", fields_of_head + "\r\n", kHead, "HTTP/1.1 431", kHead + kBesides},
      {"body", chunked + "100001\r\n" + std::string(kBody + 1, 'x'), chunked.size() + 8 + kBody,
       "HTTP/1.1 413", kBody + kBesides + (64 << 10)},
  };
}

/// Sends it in single bytes, until it is answered.
Coro<> expect_refused_in_time(std::uint16_t port, const Excess& excess) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  test::AllocationCount count;
  Task<std::string> answer = create_task(test::read_exactly(reader, 12));
  std::size_t sent = 0;
  for (; sent < excess.bytes.size() && !answer.done(); ++sent) {
    writer.write(std::string_view(excess.bytes).substr(sent, 1));
    if (sent % 64 == 0 || sent + 64 > excess.taken) co_await sleep(1ms);
  }
  std::string status = co_await answer;
  EXPECT_EQ(status, excess.answer);
  EXPECT_GE(sent, excess.taken);
  EXPECT_LE(sent, excess.taken + 8);
  if (test::kCountsAllocations) {
    EXPECT_LE(count.peak_bytes(), excess.memory);
  }
  writer.close();
}

TEST_P(ServerFaults, fault122_limits_hold_for_single_bytes) {
  run([]() -> Coro<> {
    Notes notes;
    web::RunnerOptions options;
    options.min_body_rate(0).head_timeout(std::chrono::hours(1));
    Served served = co_await serve(notes.application(), options);
    co_await exchange(served.port(), get("/", "Connection: close\r\n"));  // what stays is made
    notes.lines.clear();
    const std::vector<Excess> all = excesses();
    for (const Excess& excess : all) {
      SCOPED_TRACE(excess.what);
      co_await expect_refused_in_time(served.port(), excess);
      co_await sleep(10s);
    }
    EXPECT_TRUE(notes.lines.empty());
    co_await served.cleanup();
  });
}

TEST_P(ServerFaults, fault127_expectations) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/early", [](web::Request&) -> Coro<web::Response> {
      throw web::HTTPForbidden();
      co_return web::Response();
    });
    app.post("/echo", test::stream_back);
    app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("ok"); });
    Served served = co_await serve(std::move(app));
    // The body comes although the server has answered: the answer is seen, whole, and no other.
    for (std::size_t size : {std::size_t{10}, std::size_t{100'000}, std::size_t{1'000'000}}) {
      std::string fields = "Content-Length: " + std::to_string(size) + "\r\n";
      for (const char* expect : {"Expect: 100-continue\r\n", ""}) {
        std::vector<std::string> pieces{post("/early", fields + expect), std::string(size, 'x')};
        std::string answer = co_await exchange(served.port(), pieces);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 ")) << answer;
        EXPECT_TRUE(answer.ends_with("403: Forbidden")) << answer;
        EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << answer;
      }
    }
    // Once the response has begun, nothing may stand in it that is not its own.
    std::vector<std::string> pieces{post("/echo", "Content-Length: 3\r\nExpect: 100-continue\r\n"),
                                    "abc"};
    std::string echoed = co_await exchange(served.port(), pieces);
    EXPECT_TRUE(echoed.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n")) << echoed;
    for (std::string request : {get("/", "Expect: miracles\r\n"),
                                post("/echo", "Expect: miracles\r\nContent-Length: 1\r\n", "x")}) {
      std::string answer = co_await exchange(served.port(), request + get("/"));
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 417 ")) << answer;
      EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << answer;
    }
    co_await served.cleanup();
  });
}

TEST_P(ServerFaults, fault136_when_a_connection_ends) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application(), web::RunnerOptions().keepalive_requests(3));
    auto answers = [&](std::string bytes) -> Coro<std::size_t> {
      std::string answer = co_await exchange(served.port(), std::move(bytes));
      co_return count_of(answer, "HTTP/1.1 200");
    };
    std::size_t closed = co_await answers(get("/", "Connection: close\r\n") + get("/extra"));
    EXPECT_EQ(closed, 1u);
    std::size_t old = co_await answers("GET / HTTP/1.0\r\n\r\n" + get("/extra"));
    EXPECT_EQ(old, 1u);
    std::string keep = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    std::string kept = co_await exchange(served.port(), keep + keep);
    EXPECT_EQ(count_of(kept, "Connection: keep-alive"), 2u) << kept;
    std::string limited =
        co_await exchange(served.port(), get("/") + get("/") + get("/") + get("/extra"));
    EXPECT_EQ(count_of(limited, "HTTP/1.1 200"), 3u) << limited;
    EXPECT_EQ(count_of(limited, "Connection: close"), 1u) << limited;
    for (const std::string& line : notes.lines) EXPECT_EQ(line, "GET / ");
    EventLoop loop = get_running_loop();
    TimePoint began = loop.time();
    co_await exchange(served.port(), get("/"));
    EXPECT_NEAR(std::chrono::duration<double>(loop.time() - began).count(), 75, 1);
    co_await served.cleanup();
  });
}

// The client is told once that its body is wrong, whatever the handler does with that.
TEST_P(ServerFaults, fault115_a_broken_body_is_answered_once) {
  run([]() -> Coro<> {
    web::Application app;
    app.post("/ignores",
             [](web::Request&) -> Coro<web::Response> { co_return web::Response("ok"); });
    app.post("/catches", [](web::Request& request) -> Coro<web::Response> {
      auto body = co_await capture(request.read());
      co_return web::Response(body ? "whole" : "broken");
    });
    app.post("/streams", [](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      co_await stream.write("begun");
      co_await request.read();
      web::Response response = co_await stream.write_eof();
      co_return response;
    });
    Served served = co_await serve(std::move(app));
    for (std::string path : {"/ignores", "/catches", "/streams"}) {
      std::vector<std::string> pieces{post(path, "Transfer-Encoding: chunked\r\n", "1\r\nx\r\n"),
                                      "nonsense\r\n" + get("/")};
      std::string answer = co_await exchange(served.port(), pieces);
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
      EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << answer;
      EXPECT_EQ(count_of(answer, "0\r\n\r\n"), 0u) << answer;
    }
    // The same with a body that stops.
    for (std::string path : {"/ignores", "/catches", "/streams"}) {
      std::string answer =
          co_await exchange(served.port(), post(path, "Content-Length: 10\r\n", "x"));
      EXPECT_EQ(count_of(answer, "HTTP/1.1 "), 1u) << answer;
    }
    co_await served.cleanup();
  });
}

}  // namespace
