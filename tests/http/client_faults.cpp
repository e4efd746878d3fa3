// SPDX-License-Identifier: BSL-1.0
// Clients and servers that do not keep to HTTP, close too early or never say anything: reliability
// faults 140 to 142 and 152.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "raw_server.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Network;
using asyncio::testing::run_simulated;
using asyncio::testing::Seed;
using http::ClientResponse;
using http::ClientSession;
using http::ClientTimeout;
using http::RequestOptions;
using http::SessionOptions;
using http::URL;
using test::Crowd;
using test::error_of;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::target_of;
using test::text_of;

namespace {

/// Acts at one of the suspensions of a task, counted from 1.
class Watch final : public TaskHooks {
 public:
  Watch(Task<> task, int which, std::function<void()> act)
      : task_(std::move(task)), which_(which), act_(std::move(act)) {
    loop_.set_task_hooks(this);
  }
  ~Watch() override { loop_.set_task_hooks(nullptr); }

  void on_leave(const TaskHandle& task) noexcept override {
    if (task == task_ && asyncio::detail::task_of(task).waiting() && ++suspensions_ == which_)
      act_();
  }
  bool reached() const noexcept { return suspensions_ >= which_; }

 private:
  EventLoop loop_ = get_running_loop();
  Task<> task_;
  int which_;
  std::function<void()> act_;
  int suspensions_ = 0;
};

/// A server whose every answer takes time and comes in pieces.
Coro<> dawdle(StreamReader reader, StreamWriter writer) {
  for (;;) {
    std::string target = target_of(co_await read_request(reader));
    co_await sleep(1ms);
    if (target == "/redirect") {
      co_await writer.send("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 4\r\n\r\n");
      co_await sleep(1ms);
      co_await writer.send("gone");
      continue;
    }
    co_await writer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (char c : target) {
      co_await writer.send(std::string("1\r\n") + c + "\r\n");
      co_await sleep(1ms);
    }
    co_await writer.send("0\r\n\r\n");
  }
}

AsyncGenerator<std::string> slow_pieces() {
  for (int i = 0; i < 3; ++i) {
    co_await sleep(1ms);
    co_yield "piece";
  }
}

Coro<> ask_plainly(ClientSession session, URL url) { co_await text_of(session, url / "plain"); }
Coro<> ask_after_a_redirect(ClientSession session, URL url) {
  co_await text_of(session, url / "redirect");
}
Coro<> ask_with_pieces(ClientSession session, URL url) {
  RequestOptions options;
  options.data(slow_pieces());
  ClientResponse response = co_await session.post(url / "upload", options);
  auto pieces = response.content().iter_chunked(2);
  while (auto piece = co_await pieces.next()) {
  }
}
/// Somebody else has the only connection.
Coro<> ask_in_a_queue(ClientSession session, URL url) {
  ClientResponse first = co_await session.get(url / "first");
  auto reading = create_task(&ClientResponse::text, first);
  auto waiting = co_await capture(text_of(session, url / "second"));
  co_await reading;
  std::move(waiting).value();
}

/// Cancels `ask` at suspension `which`; then everything is as before. Returns whether there was
/// one.
Coro<bool> cancelled_at(Coro<> (*ask)(ClientSession, URL), int which) {
  Network network;
  network.latency(100us, 3ms).slices(true);
  RawServer server = co_await RawServer::start(dawdle);
  std::size_t sockets = network.sockets();
  ClientSession session(SessionOptions().limit(1));
  bool reached = false;
  {
    auto task = create_task(ask(session, server.url()));
    Watch watch(task, which, [&task] { task.cancel(); });
    auto outcome = co_await capture(task);
    reached = watch.reached();
    EXPECT_EQ(reached, outcome.cancelled()) << "at suspension " << which;
  }
  // The only slot is free, and its connection has no answer of the one that was cancelled.
  for (const char* path : {"/after", "/and-again"}) {
    auto text = co_await capture(wait_for(text_of(session, server.url(path)), 1s));
    EXPECT_EQ(text ? text.value() : describe_exception(text.exception()), path)
        << "after a cancellation at suspension " << which;
  }
  session.close();
  co_await sleep(1s);
  EXPECT_EQ(network.sockets(), sockets) << "at suspension " << which;
  co_await server.stop();
  co_return reached;
}

TEST(ClientFaults, fault140_a_request_is_cancelled_at_each_of_its_suspensions) {
  for (auto ask : {ask_plainly, ask_after_a_redirect, ask_with_pieces, ask_in_a_queue}) {
    int which = 1;
    while (run_simulated(Seed(static_cast<std::uint64_t>(which)), cancelled_at, ask, which) &&
           !HasFailure())
      ++which;
    EXPECT_GT(which, 5);
  }
}

/// The loop is closed while `ask` is at suspension `which`: its frames are destroyed there.
bool destroyed_at(Coro<> (*ask)(ClientSession, URL), int which) {
  test::LogCapture log;  // of what was pending
  EventLoop loop = asyncio::testing::new_simulated_event_loop();
  std::optional<Watch> watch;
  auto main = [&]() -> Coro<> {
    RawServer server = co_await RawServer::start(dawdle);
    ClientSession session(SessionOptions().limit(1));
    auto task = create_task(ask(session, server.url()));
    watch.emplace(task, which, [&loop] { loop.stop(); });
    (void)co_await capture(task);
    loop.stop();
  };
  loop.create_task(main);
  loop.run_forever();
  bool reached = watch->reached();
  watch.reset();
  loop.close();
  return reached;
}

TEST(ClientFaults, fault140_R3_the_loop_is_closed_at_each_suspension_of_a_request) {
  for (auto ask : {ask_plainly, ask_after_a_redirect, ask_with_pieces, ask_in_a_queue}) {
    int which = 1;
    while (destroyed_at(ask, which)) ++which;
    EXPECT_GT(which, 5);
  }
}

TEST(ClientFaults, fault140_a_hundred_random_tasks_with_time_limits_on_a_pool_of_ten) {
  test::for_each_seed(
      [](std::uint64_t seed) {
        run_simulated(Seed(seed), [seed]() -> Coro<> {
          test::Random random(seed);
          Crowd crowd;
          RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
            for (;;) {
              std::string target = target_of(co_await read_request(reader));
              crowd.enter();
              co_await sleep(2ms);
              crowd.leave();
              co_await writer.send(response_with(target));
            }
          };
          Network network;
          network.latency(100us, 2ms).slices(true);
          RawServer server = co_await RawServer::start(handler);
          ClientSession session(SessionOptions().limit(10));
          int right = 0, timed_out = 0;
          auto ask = [&](std::string path, OptionalDelay limit) -> Coro<> {
            auto text = co_await capture(wait_for(text_of(session, server.url(path)), limit));
            if (text) {
              EXPECT_EQ(text.value(), path);
            }
            text ? ++right : ++timed_out;
          };
          std::vector<Coro<>> all;
          for (int i = 0; i < 100; ++i)
            all.push_back(
                ask("/" + std::to_string(i), std::chrono::milliseconds(random.below(100))));
          co_await gather(std::move(all));
          EXPECT_GT(right, 0);
          EXPECT_GT(timed_out, 0);
          co_await sleep(1s);
          crowd.most = right = 0;
          all.clear();
          for (int i = 0; i < 10; ++i) all.push_back(ask("/again", std::nullopt));
          co_await gather(std::move(all));
          EXPECT_EQ(right, 10);
          EXPECT_LE(crowd.most, 10);
          EXPECT_GT(crowd.most, 5) << "slots got lost";
          session.close();
          co_await server.stop();
        });
      },
      5);
}

/// One request, then the next when the server is about to close. Returns how the second ended.
Coro<std::string> race(http::Method method, OptionalDelay pause, int& served) {
  Network network;
  network.latency(2ms);
  RawServer::Handler handler = [&served](StreamReader reader, StreamWriter writer) -> Coro<> {
    co_await read_request(reader);
    ++served;
    co_await writer.send(response_with("x"));
    (void)co_await capture(wait_for(read_request(reader), 5ms));
    writer.abort();  // in the very moment in which another request is on its way
  };
  RawServer server = co_await RawServer::start(handler);
  ClientSession session;
  co_await text_of(session, server.url());
  co_await sleep(*pause);
  std::string outcome = co_await error_of(session.request(method, server.url()));
  session.close();
  co_await server.stop();
  co_return outcome;
}

TEST(ClientFaults, fault141_the_server_closes_the_idle_connection_as_it_is_used_again) {
  int lost = 0, answered = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    auto pause = std::chrono::microseconds(seed * 100);
    int served = 0;
    std::string got = run_simulated(
        Seed(seed), [&]() -> Coro<std::string> { return race(http::Method::GET, pause, served); });
    EXPECT_EQ(got, "nothing") << "a GET is sent again, over a new connection";
    EXPECT_EQ(served, 2);
    served = 0;
    std::string posted = run_simulated(
        Seed(seed), [&]() -> Coro<std::string> { return race(http::Method::POST, pause, served); });
    posted == "nothing" ? ++answered : ++lost;
    if (posted == "nothing") continue;
    EXPECT_NE(posted.find("ServerDisconnectedError"), std::string::npos) << posted;
    EXPECT_NE(posted.find("no response byte received"), std::string::npos) << posted;
    EXPECT_EQ(served, 1) << "a POST is never sent again";
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(answered, 0);
}

TEST(ClientFaults, fault141_part_of_an_answer_is_no_reason_to_ask_again) {
  run_simulated([]() -> Coro<> {
    int served = 0;
    RawServer::Handler handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (int i = 0;; ++i) {
        co_await read_request(reader);
        ++served;
        std::string answer = "HTTP/1.1 200 OK\r\nX-H";
        if (i == 0) answer = response_with("x");
        co_await writer.send(answer);
        if (i > 0) co_return;
      }
    };
    RawServer server = co_await RawServer::start(handler);
    ClientSession session;
    co_await text_of(session, server.url());
    std::string error = co_await error_of(session.get(server.url()));
    EXPECT_NE(error.find("ClientPayloadError"), std::string::npos) << error;
    EXPECT_EQ(served, 2);
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFaults, fault142_a_response_that_is_dropped_gives_its_slot_back) {
  run_simulated([]() -> Coro<> {
    RawServer::Handler handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
      for (;;) {
        std::string target = target_of(co_await read_request(reader));
        std::size_t size = target == "/big" ? 1 << 20 : 100;
        co_await writer.send(response_with(std::string(size, 'x')));
      }
    };
    RawServer server = co_await RawServer::start(handler);
    ClientSession session(SessionOptions().limit(1).raise_for_status(true));
    // All of it was there: the connection is used again.
    for (int i = 0; i < 3; ++i) co_await session.get(server.url());
    EXPECT_EQ(server.connections(), 1);
    // It was not: the next has a new one.
    for (int i = 0; i < 3; ++i) co_await session.get(server.url("/big"));
    std::string text = co_await text_of(session, server.url());
    EXPECT_EQ(text.size(), 100u);
    EXPECT_EQ(server.connections(), 4);
    ClientResponse half = co_await session.get(server.url("/big"));
    std::string some = co_await half.read_some();
    EXPECT_GT(some.size(), 0u);
    half.close();
    std::string error = co_await error_of(half.read());
    EXPECT_NE(error.find("closed before its end"), std::string::npos) << error;
    text = co_await text_of(session, server.url());
    EXPECT_EQ(text.size(), 100u);
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFaults, fault142_a_response_is_closed_while_another_task_reads_it) {
  run_simulated([]() -> Coro<> {
    RawServer server =
        co_await RawServer::start([](StreamReader reader, StreamWriter writer) -> Coro<> {
          co_await read_request(reader);
          co_await writer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
          co_await reader.read();
        });
    ClientSession session(SessionOptions().limit(1));
    ClientResponse response = co_await session.get(server.url());
    auto reading = create_task(&ClientResponse::text, response);
    co_await sleep(1s);
    std::string second = co_await error_of(response.read_some());
    EXPECT_NE(second.find("another task is reading"), std::string::npos) << second;
    response.close();
    std::string error = co_await error_of(reading);
    EXPECT_NE(error.find("ClientPayloadError"), std::string::npos) << error;
    session.close();
    co_await server.stop();
  });
}

TEST(ClientFaults, R4_who_is_cancelled_as_the_response_is_closed_is_cancelled) {
  run_simulated([]() -> Coro<> {
    RawServer server =
        co_await RawServer::start([](StreamReader reader, StreamWriter writer) -> Coro<> {
          co_await read_request(reader);
          co_await writer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
          co_await reader.read();
        });
    for (bool close_first : {true, false}) {
      ClientSession session;
      ClientResponse response = co_await session.get(server.url());
      auto reading = create_task(&ClientResponse::text, response);
      co_await sleep(1s);
      if (close_first) response.close();
      reading.cancel();
      if (!close_first) response.close();
      auto outcome = co_await capture(reading);
      EXPECT_TRUE(outcome.cancelled()) << close_first;
      session.close();
    }
    co_await server.stop();
  });
}

AsyncGenerator<std::string> failing_pieces(Event* failed) {
  co_yield "piece";
  co_await sleep(1s);
  failed->set();
  throw ValueError("no more pieces");
}

/// The task that watches runs before the one whose request has failed.
TEST(ClientFaults, R4_who_is_cancelled_as_the_upload_fails_is_cancelled) {
  run_simulated([]() -> Coro<> {
    RawServer server = co_await RawServer::start(
        [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); });
    ClientSession session;
    Event failed;
    RequestOptions options;
    options.data(failing_pieces(&failed));
    auto asking = create_task([&]() -> Coro<> { co_await session.post(server.url(), options); });
    co_await failed.wait();
    EXPECT_FALSE(asking.done());
    asking.cancel();
    auto outcome = co_await capture(asking);
    EXPECT_TRUE(outcome.cancelled());
    session.close();
    co_await server.stop();
  });
}

/// A server that says a byte of `bytes` each 900 ms, and the last one for ever.
RawServer::Handler trickling(std::string bytes) {
  return [bytes = std::move(bytes)](StreamReader reader, StreamWriter writer) -> Coro<> {
    co_await read_request(reader);
    for (std::size_t at = 0;; ++at) {
      char byte = at < bytes.size() ? bytes[at] : bytes.back();
      co_await writer.send(std::string(1, byte));
      co_await sleep(900ms);
    }
  };
}

TEST(ClientFaults, fault152_a_byte_in_time_each_time_does_not_move_the_deadline) {
  const std::vector<std::string> cases{"HTTP/1.1 200 OK\r\nX: yyyyy", "HTTP/1.0 200 OK\r\n\r\nx",
                                       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x",
                                       "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\nx",
                                       "HTTP/1.1 100 Continue\r\nX: yyy"};
  for (const std::string& bytes : cases) {
    run_simulated([&]() -> Coro<> {
      RawServer server = co_await RawServer::start(trickling(bytes));
      ClientSession session(SessionOptions().timeout(ClientTimeout().total(60s).sock_read(1s)));
      TimePoint begin = get_running_loop().time();
      auto text = co_await capture(text_of(session, server.url()));
      EXPECT_TRUE(text.holds<http::ServerTimeoutError>()) << bytes;
      EXPECT_EQ(get_running_loop().time() - begin, 60s) << bytes;
      session.close();
      co_await server.stop();
    });
  }
}

TEST(ClientFaults, fault152_each_of_the_four_time_limits) {
  run_simulated([]() -> Coro<> {
    Network network;
    RawServer silent = co_await RawServer::start(
        [](StreamReader reader, StreamWriter) -> Coro<> { co_await reader.read(); });
    network.black_hole("10.0.0.9");
    auto seconds_of = [](ClientSession session, URL url, ClientTimeout timeout) -> Coro<int> {
      RequestOptions options;
      options.timeout(timeout);
      TimePoint begin = get_running_loop().time();
      auto outcome = co_await capture(session.get(url, options));
      EXPECT_TRUE(outcome.holds<http::ServerTimeoutError>());
      auto passed = get_running_loop().time() - begin;
      co_return static_cast<int>(std::chrono::duration_cast<std::chrono::seconds>(passed).count());
    };
    ClientSession session(SessionOptions().limit(1));
    int total = co_await seconds_of(session, silent.url(), ClientTimeout().total(7s));
    EXPECT_EQ(total, 7);
    int read = co_await seconds_of(session, silent.url(), ClientTimeout().sock_read(6s));
    EXPECT_EQ(read, 6);
    int sock = co_await seconds_of(session, "http://10.0.0.9/", ClientTimeout().sock_connect(5s));
    EXPECT_EQ(sock, 5);
    int connect = co_await seconds_of(session, "http://10.0.0.9/", ClientTimeout().connect(4s));
    EXPECT_EQ(connect, 4);
    // The wait for somebody else's connection counts, too.
    auto busy = create_task(seconds_of, session, silent.url(), ClientTimeout().total(100s));
    co_await sleep(1s);
    int queued = co_await seconds_of(session, silent.url(), ClientTimeout().connect(3s));
    EXPECT_EQ(queued, 3);
    int all = co_await seconds_of(session, silent.url(), ClientTimeout().total(2s));
    EXPECT_EQ(all, 2);
    co_await busy;
    session.close();
    co_await silent.stop();
  });
}

}  // namespace
