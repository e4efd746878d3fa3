// SPDX-License-Identifier: BSL-1.0
// The connections of apps/vectordb's client: how many there are, and what it does when one breaks
// off or says nothing.
#include "../http/raw_server.hpp"
#include "vectordb/client/client.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/testing/simulated.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_simulated;
using test::RawServer;
using test::read_request;
using test::response_with;
using test::target_of;
using vectordb::AsyncVectorDB;
using vectordb::ClientOptions;
using vectordb::Unavailable;
using vectordb::Vector;

namespace {

const std::string kHello = response_with(R"({"title":"fake","version":"1.19.0"})");
const std::string kNothing = response_with(R"({"result":{"points":[]},"status":"ok","time":0})");
const std::string kDone = response_with(R"({"result":true,"status":"ok","time":0})");

bool is_hello(const std::string& head) { return target_of(head) == "/"; }

/// Runs `body(AsyncVectorDB&, RawServer&)` with a client of such a server.
template <class F>
void with_server(RawServer::Handler handler, F body, ClientOptions options = {}) {
  run_simulated([&]() -> Coro<> {
    RawServer server = co_await RawServer::start(handler);
    auto db = co_await AsyncVectorDB::connect(std::string(server.url().str()), options);
    auto outcome = co_await capture(body(db, server));
    co_await db.close();
    co_await server.stop();
    outcome.value();
  });
}

Coro<> search(const AsyncVectorDB& db) {
  auto matches = co_await db.search("docs", Vector(2, 1.0F));
  EXPECT_TRUE(matches.empty());
}

/// Searches are answered by fours: with fewer connections none would be, for ever.
TEST(VectorDBPool, S46_searches_at_once_have_as_many_connections_as_the_pool) {
  constexpr std::size_t kConnections = 4;
  Barrier barrier(kConnections);
  auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    while (true) {
      std::string head = co_await read_request(reader);
      if (!is_hello(head)) co_await barrier.wait();
      co_await writer.send(is_hello(head) ? kHello : kNothing);
    }
  };
  auto body = [&](AsyncVectorDB& db, RawServer& server) -> Coro<> {
    std::vector<Coro<>> all;
    for (std::size_t i = 0; i < 10 * kConnections; ++i) all.push_back(search(db));
    co_await wait_for(gather(std::move(all)), 30s);
    EXPECT_EQ(server.connections(), static_cast<int>(kConnections));
  };
  with_server(handler, body, ClientOptions().connections(kConnections));
}

TEST(VectorDBPool, S46_one_search_after_the_other_has_one_connection) {
  auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
    while (true) {
      std::string head = co_await read_request(reader);
      co_await writer.send(is_hello(head) ? kHello : kNothing);
    }
  };
  with_server(handler, [](AsyncVectorDB& db, RawServer& server) -> Coro<> {
    for (int i = 0; i < 20; ++i) co_await search(db);
    EXPECT_EQ(server.connections(), 1);
  });
}

/// Notes what comes, and does not answer while it has connections to break off.
class Fragile {
 public:
  RawServer::Handler handler() {
    return [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      while (true) {
        std::string head = co_await read_request(reader);
        seen.push_back(head.substr(0, head.find(' ', head.find(' ') + 1)));
        if (to_break > 0) {
          --to_break;
          co_return;
        }
        co_await writer.send(is_hello(head) ? kHello : kDone);
      }
    };
  }

  int to_break = 0;
  std::vector<std::string> seen;
};

using Action = Coro<> (*)(const AsyncVectorDB&);

Coro<> remove_all(const AsyncVectorDB& db) { co_await db.delete_collection("docs"); }
Coro<> make(const AsyncVectorDB& db) { return db.create_collection("docs", 2); }
Coro<> remove_filtered(const AsyncVectorDB& db) { return db.remove("docs", vectordb::Filter()); }

std::vector<Action> done_once() { return {&remove_all, &make, &remove_filtered}; }

/// Whoever made a collection anew in between would lose it.
TEST(VectorDBPool, R_what_differs_the_second_time_is_sent_once_when_its_connection_breaks_off) {
  Fragile fragile;
  with_server(fragile.handler(), [&](AsyncVectorDB& db, RawServer& server) -> Coro<> {
    for (Action action : done_once()) {
      for (bool reused : {true, false}) {
        const int before = server.connections();
        if (reused) co_await db.remove("docs", "doc_1");
        fragile.seen.clear();
        fragile.to_break = 1;
        auto outcome = co_await capture(action(db));
        EXPECT_TRUE(outcome.holds<Unavailable>());
        EXPECT_EQ(fragile.seen.size(), 1u);
        EXPECT_LE(server.connections(), before + 1);
      }
    }
  });
}

TEST(VectorDBPool, R_what_says_the_same_a_second_time_is_sent_again) {
  Fragile fragile;
  with_server(fragile.handler(), [&](AsyncVectorDB& db, RawServer&) -> Coro<> {
    fragile.seen.clear();
    fragile.to_break = 3;
    co_await db.remove("docs", "doc_1");
    EXPECT_EQ(fragile.seen.size(), 4u);
    for (const std::string& head : fragile.seen)
      EXPECT_EQ(head, "POST /collections/docs/points/delete?wait=true");
  });
}

/// Where a server stops: before the answer, inside its head, inside its body.
std::vector<std::string> silences() {
  return {"", "HTTP/1.1 200 OK\r\nContent-", kNothing.substr(0, kNothing.size() - 5)};
}

TEST(VectorDBPool, R_a_server_that_falls_silent_is_unavailable_when_its_time_is_over) {
  for (const std::string& silence : silences()) {
    auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
      while (true) {
        std::string head = co_await read_request(reader);
        co_await writer.send(is_hello(head) ? kHello : silence);
      }
    };
    auto body = [&](AsyncVectorDB& db, RawServer&) -> Coro<> {
      const TimePoint begin = get_running_loop().time();
      auto outcome = co_await capture(search(db));
      EXPECT_TRUE(outcome.holds<Unavailable>()) << silence;
      const Delay taken = get_running_loop().time() - begin;
      EXPECT_GE(taken.duration(), 7s) << silence;
      EXPECT_LT(taken.duration(), 8s) << silence;
      std::string said = describe_exception(outcome.exception());
      EXPECT_NE(said.find("search 'docs': "), std::string::npos) << said;
    };
    with_server(handler, body, ClientOptions().timeout(7s).retries(0));
  }
}

/// Else a server would go on with what nobody wants any more.
TEST(VectorDBPool, R_cancelling_a_call_closes_its_connection) {
  Event asked, closed;
  auto handler = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    while (true) {
      std::string head = co_await read_request(reader);
      const bool is_held = !is_hello(head) && !asked.is_set();
      if (is_held) {
        asked.set();
        std::string more = co_await reader.read();
        EXPECT_EQ(more, "");
        closed.set();
        co_return;
      }
      co_await writer.send(is_hello(head) ? kHello : kNothing);
    }
  };
  with_server(handler, [&](AsyncVectorDB& db, RawServer& server) -> Coro<> {
    auto task = create_task(search(db));
    co_await asked.wait();
    task.cancel();
    auto outcome = co_await capture(task);
    EXPECT_TRUE(outcome.cancelled());
    co_await wait_for(closed.wait(), 1s);
    co_await search(db);
    EXPECT_EQ(server.connections(), 2);
  });
}

/// Is busy as often as it is told to be, and notes when it was asked.
class Busy {
 public:
  Busy(int times, std::string fields) : times_(times), fields_(std::move(fields)) {}

  RawServer::Handler handler() {
    return [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      const std::string busy = "HTTP/1.1 503 Busy\r\n" + fields_ + "Content-Length: 0\r\n\r\n";
      while (true) {
        std::string head = co_await read_request(reader);
        if (!is_hello(head)) asked_.push_back(get_running_loop().time());
        const bool refuses = !is_hello(head) && times_-- > 0;
        std::string answer = is_hello(head) ? kHello : kNothing;
        co_await writer.send(refuses ? busy : answer);
      }
    };
  }
  /// Between one request and the next, in seconds.
  std::vector<double> pauses() const {
    std::vector<double> all;
    for (std::size_t i = 1; i < asked_.size(); ++i)
      all.push_back(std::chrono::duration<double>(asked_[i] - asked_[i - 1]).count());
    return all;
  }

 private:
  int times_;
  std::string fields_;
  std::vector<TimePoint> asked_;
};

TEST(VectorDBPool, R_the_pause_before_another_attempt_doubles_and_varies) {
  Busy busy(4, "");
  with_server(busy.handler(), [](AsyncVectorDB& db, RawServer&) { return search(db); });
  std::vector<double> pauses = busy.pauses();
  EXPECT_EQ(pauses.size(), 4u);
  double expected = 0.1;
  bool varies = false;
  for (double pause : pauses) {
    EXPECT_GE(pause, 0.75 * expected - 1e-3);
    EXPECT_LE(pause, 1.25 * expected + 1e-3);
    varies = varies || std::abs(pause - expected) > 1e-3 * expected;
    expected *= 2;
  }
  EXPECT_TRUE(varies) << "all clients of a server that comes back would ask at once";
}

TEST(VectorDBPool, R_the_pause_is_the_one_that_the_server_asks_for) {
  Busy busy(2, "Retry-After: 7\r\n");
  with_server(busy.handler(), [](AsyncVectorDB& db, RawServer&) { return search(db); });
  EXPECT_EQ(busy.pauses().size(), 2u);
  for (double pause : busy.pauses()) {
    EXPECT_GE(pause, 7);
    EXPECT_LT(pause, 7.1);
  }
}

TEST(VectorDBPool, R_a_server_that_never_says_who_it_is_is_unavailable) {
  run_simulated([]() -> Coro<> {
    RawServer::Handler handler = [](StreamReader reader, StreamWriter) -> Coro<> {
      co_await reader.read();
    };
    RawServer server = co_await RawServer::start(handler);
    ClientOptions options;
    options.timeout(5s).retries(1);
    auto outcome =
        co_await capture(AsyncVectorDB::connect(std::string(server.url().str()), options));
    EXPECT_TRUE(outcome.holds<Unavailable>());
    EXPECT_EQ(server.connections(), 2);
    co_await server.stop();
  });
}

}  // namespace
