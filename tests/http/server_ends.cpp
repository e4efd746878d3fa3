// SPDX-License-Identifier: BSL-1.0
// How many connections a server takes, and how it ends (faults 139 and 192, L13).
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::count_of;
using test::error_of;
using test::exchange;
using test::get;
using test::kLast;
using test::last;
using test::post;
using test::say_last;
using test::serve;
using test::Served;

namespace {

web::Application saying_hello() {
  web::Application app;
  app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("hello"); });
  return app;
}

class ServerEnds : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, ServerEnds, test::all_backends, test::backend_name);

/// The accept queue is the system's.
class RealServerEnds : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, RealServerEnds, test::real_backends, test::backend_name);

TEST_P(ServerEnds, fault139_more_connections_than_there_may_be) {
  run([]() -> Coro<> {
    Event release;
    int begun = 0;
    web::Application app;
    app.get("/last", say_last);
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      ++begun;
      co_await release.wait();
      co_return web::Response("first");
    });
    Served served = co_await serve(std::move(app), web::RunnerOptions().max_connections(2));
    std::vector<Task<std::string>> first;
    for (int i = 0; i < 2; ++i)
      first.push_back(create_task(exchange(served.port(), get("/", "Connection: close\r\n"))));
    while (begun < 2) co_await sleep(1ms);
    for (int i = 0; i < 5; ++i) {
      std::string answer = co_await exchange(served.port(), last());
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    }
    release.set();
    for (auto& task : first) {
      std::string answer = co_await task;
      EXPECT_TRUE(answer.ends_with("\r\n\r\nfirst")) << answer;
    }
    std::string again = co_await exchange(served.port(), last());
    EXPECT_TRUE(again.ends_with(kLast)) << again;
    co_await served.cleanup();
  });
}

TEST_P(ServerEnds, fault192_L13_requests_are_answered_at_the_end_and_say_so) {
  run([]() -> Coro<> {
    int begun = 0;
    web::Application app;
    app.get("/quick", [&](web::Request&) -> Coro<web::Response> {
      ++begun;
      co_return web::Response("quick");
    });
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      ++begun;
      co_await sleep(50ms);
      co_return web::Response("answered");
    });
    app.post("/upload", [](web::Request& request) -> Coro<web::Response> {
      std::string body = co_await request.read();
      co_return web::Response(body);
    });
    Served served = co_await serve(std::move(app));
    std::vector<Task<std::string>> busy, idle;
    for (int i = 0; i < 20; ++i) busy.push_back(create_task(exchange(served.port(), get("/"))));
    for (int i = 0; i < 20; ++i)
      idle.push_back(create_task(exchange(served.port(), get("/quick"))));
    // One that has been told to go on is not at rest.
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(post("/upload", "Content-Length: 4\r\nExpect: 100-continue\r\n"));
    std::string go_on = co_await reader.readuntil("\r\n\r\n");
    EXPECT_EQ(go_on, "HTTP/1.1 100 Continue\r\n\r\n");
    while (begun < 40) co_await sleep(1ms);
    auto ending = create_task(served.cleanup());
    co_await sleep(10ms);
    EXPECT_FALSE(ending.done());
    writer.write("body");
    std::string uploaded = co_await reader.read();
    EXPECT_TRUE(uploaded.starts_with("HTTP/1.1 200")) << uploaded;
    EXPECT_NE(uploaded.find("Connection: close"), std::string::npos) << uploaded;
    writer.close();
    for (auto& task : busy) {
      std::string answer = co_await task;
      EXPECT_TRUE(answer.ends_with("\r\n\r\nanswered")) << answer;
      EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
    }
    for (auto& task : idle) {
      std::string answer = co_await task;
      EXPECT_TRUE(answer.ends_with("\r\n\r\nquick")) << answer;
    }
    co_await ending;
  });
}

/// A client that blocks: the server's loop, which is in this thread, knows nothing of what it does.
class BlockingClient {
 public:
  explicit BlockingClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      throw OSError(errno, "connect");
  }
  BlockingClient(const BlockingClient&) = delete;
  BlockingClient& operator=(const BlockingClient&) = delete;
  ~BlockingClient() { ::close(socket_); }

  void send(const std::string& bytes) const {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) throw OSError(errno, "send");
  }
  /// All that has come, and whether it ends with a reset.
  std::string receive() const {
    std::string all;
    char room[1000];
    ssize_t got = 0;
    while ((got = ::recv(socket_, room, sizeof room, 0)) > 0)
      all.append(room, static_cast<std::size_t>(got));
    return got < 0 ? all + "[reset]" : all;
  }

 private:
  int socket_;
};

TEST_P(RealServerEnds, L13_who_was_let_in_and_not_accepted_yet_is_answered) {
  run([]() -> Coro<> {
    Served served = co_await serve(saying_hello());
    BlockingClient kept(served.port());
    kept.send(get("/"));
    co_await sleep(20ms);  // it has its answer, and is idle
    kept.send(get("/"));
    BlockingClient asking(served.port()), silent(served.port());
    asking.send(get("/"));
    co_await served.cleanup();
    std::string twice = kept.receive();
    EXPECT_EQ(count_of(twice, "\r\n\r\nhello"), 2u) << twice;
    EXPECT_EQ(count_of(twice, "Connection: close"), 1u) << twice;
    std::string answer = asking.receive();
    EXPECT_TRUE(answer.ends_with("\r\n\r\nhello")) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
    EXPECT_EQ(silent.receive(), "");
  });
}

/// A successor may have the same socket: it takes whom this process has not.
TEST_P(RealServerEnds, L13_a_successor_on_the_same_socket_costs_no_client) {
  run([]() -> Coro<> {
    web::Application app, next;
    app.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("first"); });
    next.get("/", [](web::Request&) -> Coro<web::Response> { co_return web::Response("second"); });
    Served served = co_await serve(std::move(app));
    web::AppRunner successor(std::move(next));
    std::string early = co_await error_of(web::SockSite(successor, 0).start());
    EXPECT_EQ(early, "asyncio::RuntimeError: call AppRunner::setup() before SockSite::start()");
    co_await successor.setup();
    web::SockSite site(successor, served.runner().sockets().at(0).dup());
    int first = 0, second = 0;
    auto ask = [&]() -> Coro<> {
      while (second < 200) {
        std::string answer = co_await exchange(served.port(), get("/", "Connection: close\r\n"));
        first += answer.ends_with("\r\n\r\nfirst");
        second += answer.ends_with("\r\n\r\nsecond");
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
      }
    };
    std::vector<Task<>> asking;
    for (int i = 0; i < 8; ++i) asking.push_back(create_task(ask()));
    while (first < 50) co_await sleep(1ms);
    co_await site.start();
    co_await served.cleanup();
    for (Task<>& task : asking) co_await task;
    EXPECT_EQ(successor.addresses().at(0).port(), served.port());
    co_await successor.cleanup();
  });
}

/// The second request is the last.
web::RunnerOptions two_each() { return web::RunnerOptions().keepalive_requests(2); }

/// With bytes that nobody has read the system would reset the connection, and the answers.
TEST_P(RealServerEnds, R13_pipelined_requests_behind_the_last_cost_no_answer) {
  run([]() -> Coro<> {
    Served served = co_await serve(saying_hello(), two_each());
    std::string requests;
    for (int i = 0; i < 5000; ++i) requests += get("/", "Pad: " + std::string(100, 'x') + "\r\n");
    std::string answers = co_await exchange(served.port(), requests);
    EXPECT_EQ(count_of(answers, "\r\n\r\nhello"), 2u) << answers;
    EXPECT_TRUE(answers.ends_with("hello")) << answers;
    co_await served.cleanup();
  });
}

/// What is still to be sent has the time of all that is, not the moment that a client gets to
/// find that there is an end.
TEST(ServerLinger, fault125_a_slow_client_gets_all_of_the_last_answer) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    constexpr std::size_t kSize = 1 << 20;
    web::Application app;
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response(std::string(kSize, 'x'));
    });
    Served served = co_await serve(std::move(app), web::RunnerOptions().keepalive_requests(1));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(get("/"));
    (void)co_await reader.readuntil("\r\n\r\n");
    std::size_t got = 0;
    for (std::string some = "x"; !some.empty(); got += some.size()) {
      co_await sleep(3s);
      some = co_await reader.read(16 * 1024);
    }
    EXPECT_EQ(got, kSize);
    writer.close();
    co_await served.cleanup();
  });
}

/// The end of the server waits for nobody who has nothing to say.
TEST(ServerLinger, fault192_the_end_does_not_wait_for_who_has_sent_nothing) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    Served served = co_await serve(saying_hello(), web::RunnerOptions().keepalive_requests(1));
    auto [reader, writer] = co_await open_connection("127.0.0.1", served.port());
    writer.write(get("/"));
    std::string answer = co_await reader.read();
    EXPECT_TRUE(answer.ends_with("hello")) << answer;
    const TimePoint begin = get_running_loop().time();
    co_await served.cleanup();
    EXPECT_LT(get_running_loop().time() - begin, 1s);
    writer.close();
  });
}

/// As a client does on a machine that is busy.
TEST(ServerLinger, L13_who_has_connected_and_not_asked_yet_has_a_second_for_it) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    Served served = co_await serve(saying_hello());
    Streams late = co_await open_connection("127.0.0.1", served.port());
    Streams silent = co_await open_connection("127.0.0.1", served.port());
    co_await sleep(1ms);  // they have been let in
    const TimePoint begin = get_running_loop().time();
    auto ending = create_task(served.cleanup());
    co_await sleep(900ms);
    late.second.write(get("/"));
    std::string answer = co_await late.first.read();
    EXPECT_TRUE(answer.ends_with("hello")) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos) << answer;
    std::string nothing = co_await silent.first.read();
    EXPECT_EQ(nothing, "");
    co_await ending;
    EXPECT_LT(get_running_loop().time() - begin, 1100ms);
    late.second.close();
    silent.second.close();
  });
}

TEST(ServerLinger, fault139_the_end_prolongs_no_limit) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    const auto options = web::RunnerOptions().keepalive_timeout(500ms);
    Served served = co_await serve(saying_hello(), options);
    Streams silent = co_await open_connection("127.0.0.1", served.port());
    const TimePoint begin = get_running_loop().time();
    co_await sleep(400ms);
    co_await served.cleanup();
    EXPECT_LT(get_running_loop().time() - begin, 600ms);
    silent.second.close();
  });
}

TEST_P(RealServerEnds, R13_requests_that_cross_the_last_answer_cost_none) {
  run([]() -> Coro<> {
    int begun = 0;
    web::Application app;
    app.get("/", [&](web::Request&) -> Coro<web::Response> {
      ++begun;
      co_return web::Response("hello");
    });
    Served served = co_await serve(std::move(app), two_each());
    {
      BlockingClient client(served.port());
      client.send(get("/") + get("/"));
      while (begun < 2) co_await sleep(1ms);
      co_await sleep(1ms);  // the answer is on its way
      // Were the connection closed, the first would be answered with a reset, and the second fail.
      for (int i = 0; i < 2; ++i) client.send(get("/"));
      std::string answers = client.receive();
      EXPECT_EQ(count_of(answers, "\r\n\r\nhello"), 2u) << answers;
      EXPECT_TRUE(answers.ends_with("hello")) << answers;
    }
    co_await served.cleanup();
  });
}

}  // namespace
