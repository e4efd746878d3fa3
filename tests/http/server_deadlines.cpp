// SPDX-License-Identifier: BSL-1.0
// Clients that are too slow (faults 123 to 125, 192), on simulated connections and their clock.
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

/// What the simulated network takes in one direction from who sends, if nobody reads.
constexpr std::ptrdiff_t kNetwork = 64 << 10;
/// What a server holds back for a client without making its handler wait.
constexpr std::ptrdiff_t kHighWater = 64 << 10;

class ServerDeadlines : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerDeadlines, ::testing::Values("simulated"),
                         test::backend_name);

TEST_P(ServerDeadlines, fault123_slow_heads_end_at_their_deadline) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application());
    std::vector<double> ended;
    int good = 0;
    auto slow = [&]() -> Coro<> {
      EventLoop loop = get_running_loop();
      auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
      TimePoint began = loop.time();
      auto drips = create_task(
          [](StreamWriter to) -> Coro<> {
            for (char c : get("/", "X: " + std::string(1000, 'x'))) {
              to.write(std::string_view(&c, 1));
              co_await sleep(7s);
            }
          },
          writer);
      std::string answer = co_await reader.read();
      ended.push_back(std::chrono::duration<double>(loop.time() - began).count());
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
      drips.cancel();
      writer.close();
    };
    auto quick = [&]() -> Coro<> {
      for (int i = 0; i < 20; ++i) {
        std::string answer = co_await exchange(served.port(), get("/", "Connection: close\r\n"));
        good += answer.starts_with("HTTP/1.1 200");
        co_await sleep(1s);
      }
    };
    std::vector<Coro<>> all;
    for (int i = 0; i < 50; ++i) all.push_back(slow());
    all.push_back(quick());
    co_await gather(std::move(all));
    EXPECT_EQ(good, 20);
    EXPECT_EQ(ended.size(), 50u);
    EXPECT_NEAR(*std::ranges::min_element(ended), 30, 1);
    EXPECT_NEAR(*std::ranges::max_element(ended), 30, 1);
    co_await served.cleanup();
  });
}

TEST_P(ServerDeadlines, fault124_a_slow_upload_ends) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application());
    EventLoop loop = get_running_loop();
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    TimePoint began = loop.time();
    writer.write(post("/", "Content-Length: 1000\r\n"));
    auto drips = create_task(
        [](StreamWriter to) -> Coro<> {
          for (int i = 0; i < 1000; ++i) {
            to.write("x");
            co_await sleep(5s);
          }
        },
        writer);
    std::string answer = co_await reader.read();
    double took = std::chrono::duration<double>(loop.time() - began).count();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
    EXPECT_GE(took, 60);
    EXPECT_LE(took, 66);
    EXPECT_TRUE(notes.lines.empty());
    drips.cancel();
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ServerDeadlines, fault124_an_upload_that_is_fast_enough_may_take_long) {
  run([]() -> Coro<> {
    Notes notes;
    Served served = co_await serve(notes.application());
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(post("/", "Content-Length: 100000\r\nConnection: close\r\n"));
    for (int i = 0; i < 100; ++i) {
      co_await sleep(3s);  // 333 bytes a second, for five minutes
      writer.write(std::string(1000, 'x'));
    }
    std::string answer = co_await reader.read();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ServerDeadlines, fault124_an_answer_that_is_read_steadily_may_take_long) {
  run([]() -> Coro<> {
    constexpr std::size_t kSize = std::size_t{10} << 20;
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response(std::string(kSize, 'x'));
    });
    Served served = co_await serve(std::move(app), web::RunnerOptions().progress_timeout(10s));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(get("/", "Connection: close\r\n"));
    std::string answer;
    while (true) {
      std::string part = co_await reader.read(std::size_t{1} << 18);
      if (part.empty()) break;
      answer += part;
      co_await sleep(2s);
    }
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, kSize);
    writer.close();
    co_await served.cleanup();
  });
}

TEST_P(ServerDeadlines, fault124_who_does_not_read_ends_and_the_handler_is_told) {
  run([]() -> Coro<> {
    std::string error;
    std::size_t written = 0;
    bool ended = false;
    web::Application app;
    app.get("/stream", [&](web::Request& request) -> Coro<web::Response> {
      web::StreamResponse stream;
      co_await stream.prepare(request);
      const std::string piece(4096, 'x');
      auto outcome = co_await capture([&]() -> Coro<> {
        for (int i = 0; i < 2560; ++i) {
          co_await stream.write(piece);
          written += piece.size();
        }
      }());
      if (!outcome) error = describe_exception(outcome.exception());
      ended = true;
      co_return std::move(outcome).value(), web::Response::sent();
    });
    app.get("/whole", [&](web::Request&) -> Coro<web::Response> {
      co_return web::Response(std::string(std::size_t{10} << 20, 'x'));
    });
    Served served = co_await serve(std::move(app));
    co_await exchange(served.port(),
                      get("/stream", "Connection: close\r\n"));  // what stays is made
    written = 0, ended = false;
    for (const char* path : {"/stream", "/whole"}) {
      auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
      test::AllocationCount count;
      writer.write(get(path));
      writer.transport()->pause_reading();
      co_await sleep(50s);
      EXPECT_FALSE(ended && path == std::string("/stream"));
      const std::ptrdiff_t answer = path == std::string("/whole") ? 10 << 20 : kHighWater;
      if (test::kCountsAllocations) {
        constexpr std::ptrdiff_t kTest = 16 << 10;  // the client, and what the handler writes
        EXPECT_LE(count.live_bytes(), answer + (64 << 10) + kNetwork + kTest) << path;
        EXPECT_GE(count.live_bytes(), answer) << path << ": nothing was measured";
      }
      co_await sleep(100s);
      writer.transport()->resume_reading();
      std::string rest;
      std::string failure = co_await test::error_of([&]() -> Coro<> {
        while (true) {
          std::string part = co_await reader.read(65536);
          if (part.empty()) break;
          rest += part;
        }
      }());
      EXPECT_LT(rest.size(), std::size_t{10} << 20) << failure;
      writer.close();
    }
    EXPECT_TRUE(ended);
    EXPECT_NE(error.find("Connection"), std::string::npos) << error;
    EXPECT_LT(written, std::size_t{10} << 20);
    co_await served.cleanup();
  });
}

TEST_P(ServerDeadlines, fault192_who_does_not_read_does_not_hold_up_the_end) {
  run([]() -> Coro<> {
    for (std::string request :
         {get("/"), get("/", "Connection: close\r\n"), post("/", "Content-Length: 9000000\r\n")}) {
      web::Application app;
      app.add_route("*", "/", [](web::Request&) -> Coro<web::Response> {
        co_return web::Response(std::string(std::size_t{10} << 20, 'x'));
      });
      Served served = co_await serve(std::move(app), web::RunnerOptions().shutdown_timeout(1s));
      auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
      writer.write(request);
      writer.transport()->pause_reading();
      co_await sleep(1s);
      EventLoop loop = get_running_loop();
      TimePoint began = loop.time();
      co_await served.cleanup();
      EXPECT_LT(loop.time() - began, 1100ms) << request;
      writer.close();
    }
  });
}

TEST_P(ServerDeadlines, fault125_who_does_not_read_its_answers_is_not_read) {
  run([]() -> Coro<> {
    constexpr int kRequests = 1'000'000, kRead = 2000, kSize = 4096, kAhead = 32;
    int handled = 0;
    web::Application app;
    app.get("/{n:int}", [&](web::Request&, int n) -> Coro<web::Response> {
      ++handled;
      co_return web::Response("<" + std::to_string(n) + ">" + std::string(kSize, '.'));
    });
    Served served = co_await serve(std::move(app));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    co_await exchange(served.port(), get("/0", "Connection: close\r\n"));  // what stays is made
    handled = 0;
    writer.transport()->pause_reading();
    test::AllocationCount count;
    // As many as want to be asked: how few are, is what this is about.
    auto asking = create_task(
        [](StreamWriter to) -> Coro<> {
          const std::string fields = "X: " + std::string(1000, 'x') + "\r\n";
          for (int i = 0; i < kRequests; ++i)
            co_await to.send(get("/" + std::to_string(i), fields));
        },
        writer);
    co_await sleep(10s);
    int paused_at = handled;
    EXPECT_LE(paused_at, kNetwork / kSize + kAhead);
    EXPECT_GE(paused_at, kNetwork / kSize);
    // Both ways of the network; what is written and not sent, of both; twice the reader's limit;
    // and what a first use keeps.
    if (test::kCountsAllocations) {
      EXPECT_LE(count.peak_bytes(), 2 * kNetwork + 5 * kHighWater);
    }
    co_await sleep(10s);
    EXPECT_EQ(handled, paused_at);
    EXPECT_FALSE(asking.done());
    writer.transport()->resume_reading();
    for (int i = 0; i < kRead; ++i) {
      std::string answer = co_await reader.readuntil(">");
      EXPECT_TRUE(answer.ends_with("<" + std::to_string(i) + ">"));
      if (HasFailure()) break;
    }
    EXPECT_LT(handled, kRead + paused_at + 2 * kAhead) << "what is read makes room, no more";
    asking.cancel();
    co_await wait(asking);
    writer.abort();
    co_await served.cleanup();
  });
}

}  // namespace
