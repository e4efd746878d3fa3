// SPDX-License-Identifier: BSL-1.0
// Fault 68: close, abort, shutdown and destructor in every order, twice.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/faults.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "protocols.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;
using test::made;

// What is done to one end; each happens twice.
constexpr char kClose = 'c';
constexpr char kAbort = 'a';
constexpr char kShutDown = 's';
constexpr char kDrop = 'd';  // the destructor of one of two handles
constexpr char kCloseClients = 'k';

/// All orders of the steps, as strings of them.
std::vector<std::string> orders() {
  std::string steps = "aaccddss";
  std::vector<std::string> all;
  do all.push_back(steps);
  while (std::next_permutation(steps.begin(), steps.end()));
  return all;
}

/// Two connected sockets.
class Pair {
 public:
  Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0); }
  int ends[2];
};

/// One end of a connection, with two handles that are dropped one after the other.
class StreamEnd {
 public:
  explicit StreamEnd(StreamWriter writer) : handles_(2, std::move(writer)) {}

  void write(const std::string& data) { handles_.back().write(data); }
  /// A step after the last handle is gone does not happen.
  void take(char step) {
    if (handles_.empty()) return;
    if (step == kDrop) return handles_.pop_back();
    StreamWriter& writer = handles_.back();
    if (step == kClose) writer.close();
    if (step == kAbort) writer.abort();
    if (step == kShutDown) writer.write_eof();
  }

 private:
  std::vector<StreamWriter> handles_;
};

/// The same for a transport; one of its handles is the protocol's.
class TransportEnd {
 public:
  explicit TransportEnd(std::shared_ptr<Transport> transport) : handles_(2, std::move(transport)) {}

  void write(const std::string& data) { handles_.back()->write(data); }
  void take(char step) {
    if (handles_.empty()) return;
    if (step == kDrop) {
      // The loop keeps an open transport.
      if (handles_.size() == 1) handles_.back()->close();
      return handles_.pop_back();
    }
    Transport& transport = *handles_.back();
    if (step == kClose) transport.close();
    if (step == kAbort) transport.abort();
    if (step == kShutDown) transport.write_eof();
  }

 private:
  std::vector<std::shared_ptr<Transport>> handles_;
};

/// How the ends are treated.
struct Way {
  bool turns;      // the loop runs between the steps
  bool kept_data;  // more was written than the kernel takes
};

/// The peer sees the end, and nothing but the two sockets was closed, each once: a canary that may
/// get the same number stays open.
template <class End>
Coro<> one_order(Faults& faults, const std::string& steps, Way way, End end, StreamReader reader,
                 StreamWriter writer) {
  std::uint64_t closed_before = faults.calls(SystemCall::close);
  std::string kept = way.kept_data ? std::string(1 << 20, 'x') : "";
  if (way.kept_data) end.write(kept);
  std::vector<int> canaries;
  for (char step : steps) {
    end.take(step);
    if (!way.turns) continue;
    for (int i = 0; i < 3; ++i) co_await asyncio::sleep(0s);
    canaries.push_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  }
  std::size_t received = 0;
  try {
    while (true) {
      std::string data = co_await reader.read(1 << 20);
      if (data.empty()) break;
      received += data.size();
    }
  } catch (const ConnectionResetError&) {
    // After an abort with data on the way.
  }
  EXPECT_LE(received, kept.size());
  for (int i = 0; i < 5; ++i) co_await asyncio::sleep(0s);
  EXPECT_EQ(faults.calls(SystemCall::close) - closed_before, 1u) << steps;
  writer.close();
  co_await writer.wait_closed();
  EXPECT_EQ(faults.calls(SystemCall::close) - closed_before, 2u) << steps;
  for (int canary : canaries) EXPECT_EQ(::close(canary), 0) << steps;
}

Coro<> streams_in_every_order(Faults& faults) {
  for (Way way : {Way{false, false}, Way{true, false}, Way{false, true}, Way{true, true}}) {
    for (const std::string& steps : orders()) {
      Pair pair;
      std::optional<Streams> ours = co_await open_connection(pair.ends[0]);
      auto [reader, writer] = co_await open_connection(pair.ends[1]);
      StreamEnd end(std::move(ours->second));
      ours.reset();
      co_await one_order(faults, steps, way, std::move(end), reader, writer);
    }
  }
}

Coro<> transports_in_every_order(Faults& faults) {
  for (Way way : {Way{false, false}, Way{true, true}}) {
    for (const std::string& steps : orders()) {
      Pair pair;
      auto [transport, client] =
          co_await get_running_loop().create_connection(&made<test::Client>, pair.ends[0]);
      auto [reader, writer] = co_await open_connection(pair.ends[1]);
      client->transport.reset();
      TransportEnd end(std::move(transport));
      co_await one_order(faults, steps, way, std::move(end), reader, writer);
      EXPECT_EQ(std::count_if(client->events.begin(), client->events.end(),
                              [](auto& event) { return event.starts_with("lost"); }),
                1)
          << steps;
    }
  }
}

/// A server: close, close_clients, abort_clients and its destructor.
Coro<> servers_in_every_order(Faults& faults) {
  std::string steps = "aaccddkk";
  do {
    std::uint64_t closed_before = faults.calls(SystemCall::close);
    auto handler = [](StreamReader reader, StreamWriter) -> Coro<> {
      (void)co_await reader.read();
    };
    std::string name = std::string(1, '\0') + "asyncio-orders-" + std::to_string(::getpid());
    std::optional<Server> made = co_await start_unix_server(handler, name);
    std::vector<Server> handles(2, std::move(*made));
    made.reset();
    auto [reader, writer] = co_await open_unix_connection(name);
    co_await asyncio::sleep(1ms);
    for (char step : steps) {
      if (handles.empty()) break;
      Server& server = handles.back();
      if (step == kClose) server.close();
      if (step == kCloseClients) server.close_clients();
      if (step == kAbort) server.abort_clients();
      if (step != kDrop) continue;
      // A server that nobody has serves on: the last handle closes it.
      if (handles.size() == 1) {
        server.close();
        server.abort_clients();
      }
      handles.pop_back();
    }
    std::string rest = co_await reader.read();
    EXPECT_EQ(rest, "");
    writer.close();
    co_await writer.wait_closed();
    for (int i = 0; i < 5; ++i) co_await asyncio::sleep(0s);
    EXPECT_EQ(faults.calls(SystemCall::close) - closed_before, 3u) << steps;
  } while (std::next_permutation(steps.begin(), steps.end()));
}

class CloseOrders : public ::testing::TestWithParam<std::string> {
 public:
  void SetUp() override {
    std::string refusal = test::refusal_of(GetParam());
    if (!refusal.empty()) GTEST_SKIP() << refusal;
  }

  void run(Coro<> (*body)(Faults&)) {
    auto before = test::open_descriptors();
    Faults faults;
    RunOptions options;
    options.loop_factory([&] {
      return GetParam() == "io_uring" ? faults.new_uring_event_loop()
                                      : faults.new_epoll_event_loop();
    });
    asyncio::run(body(faults), options);
    EXPECT_EQ(test::open_descriptors(), before);
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, CloseOrders, test::real_backends, test::backend_name);

TEST_P(CloseOrders, fault68_R5_streams) { run(&streams_in_every_order); }
TEST_P(CloseOrders, fault68_R5_transports) { run(&transports_in_every_order); }
TEST_P(CloseOrders, fault68_R5_servers) { run(&servers_in_every_order); }

}  // namespace
