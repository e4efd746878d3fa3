// SPDX-License-Identifier: BSL-1.0
// Name resolution: numeric addresses without a thread, names on the resolver's own threads.
#include "asyncio/dns.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/exception_group.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/testing/simulated.hpp"
#include "blackhole.hpp"
#include "captures.hpp"
#include "gate.hpp"
#include "no_threads.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <atomic>
#include <dlfcn.h>
#include <filesystem>
#include <iterator>
#include <netdb.h>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

std::atomic<int> look_ups{0};
std::atomic<bool> hang{false};  // look-ups of "hangs.test" do not return while it is true
std::atomic<int> hanging{0};

}  // namespace

/// Stands before the C library's: counts look-ups, and answers names in the domain "test".
extern "C" int getaddrinfo(const char* host, const char* port, const addrinfo* hints,
                           addrinfo** list) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  ++look_ups;
  std::string name = host ? host : "";
  if (name == "hangs.test") {
    ++hanging;
    while (hang.load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --hanging;
    return EAI_AGAIN;
  }
  if (name == "two.test") {
    addrinfo* first = nullptr;
    addrinfo* second = nullptr;
    real("127.0.0.1", port, hints, &first);
    real("127.0.0.2", port, hints, &second);
    first->ai_next = second;
    *list = first;
    return 0;
  }
  if (name == "many.test") {
    for (int i = 0; i < 10'000; ++i) {
      std::string number = "127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1);
      if (int error = real(number.c_str(), port, hints, list)) return error;
      list = &(*list)->ai_next;
    }
    return 0;
  }
  if (name == "unknown.test") return EAI_NONAME;
  return real(host, port, hints, list);
}

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using detail::ResolveRequest;

Coro<std::vector<SocketAddress>> resolve(ResolveRequest request) {
  co_return co_await detail::resolve(detail::backend_of(detail::running_loop()), request);
}

Coro<std::string> resolved(std::string host, AddressFamily family = AddressFamily::unspecified,
                           bool passive = false) {
  ResolveRequest request(host, 80);
  request.family = family;
  request.flags = passive ? AI_PASSIVE : 0;
  std::string text;
  try {
    std::vector<SocketAddress> addresses = co_await resolve(request);
    for (const SocketAddress& address : addresses)
      text += (text.empty() ? "" : " ") + address.str();
  } catch (const std::exception&) {
    text = describe_exception(std::current_exception());
  }
  co_return text;
}

std::ptrdiff_t threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

/// The threads that are not the resolver's: ours, and perhaps a sanitizer's.
const std::ptrdiff_t own_threads = [] {
  std::thread([] {}).join();
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return threads();
}();

/// A thread that was joined is still listed for a moment.
bool only_own_threads() {
  for (int i = 0; i < 10000; ++i) {
    if (threads() <= own_threads) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(Dns, D11_numeric_addresses_need_no_look_up) {
  run([]() -> Coro<> {
    look_ups = 0;
    std::string v4 = co_await resolved("10.0.0.1");
    std::string v6 = co_await resolved("::1");
    std::string scoped = co_await resolved("fe80::1%lo");
    std::string numbered = co_await resolved("fe80::1%1");
    std::string loopback = co_await resolved("");
    std::string any = co_await resolved("", AddressFamily::unspecified, true);
    std::string any4 = co_await resolved("", AddressFamily::inet, true);
    EXPECT_EQ(v4, "10.0.0.1:80");
    EXPECT_EQ(v6, "[::1]:80");
    EXPECT_EQ(scoped, "[fe80::1%lo]:80");
    EXPECT_EQ(numbered, "[fe80::1%lo]:80");
    EXPECT_EQ(loopback, "127.0.0.1:80 [::1]:80");
    EXPECT_EQ(any, "0.0.0.0:80 [::]:80");
    EXPECT_EQ(any4, "0.0.0.0:80");
    EXPECT_EQ(look_ups, 0);
    EXPECT_EQ(threads(), own_threads);
  }());
}

TEST(Dns, R10_errors_name_the_host) {
  run([]() -> Coro<> {
    std::string unknown = co_await resolved("unknown.test");
    std::string family = co_await resolved("::1", AddressFamily::inet);
    std::string scope = co_await resolved("fe80::1%nosuch");
    EXPECT_EQ(unknown, "asyncio::GaiError: getaddrinfo 'unknown.test': Name or service not known");
    EXPECT_EQ(family,
              "asyncio::GaiError: getaddrinfo '::1': Address family for hostname not supported");
    EXPECT_EQ(scope, "asyncio::GaiError: getaddrinfo 'fe80::1%nosuch': Name or service not known");
    int code = 0;
    std::string host;
    try {
      co_await open_connection("unknown.test", 1);
    } catch (const GaiError& e) {
      code = e.code().value();
      host = e.host();
    }
    EXPECT_EQ(code, EAI_NONAME);
    EXPECT_EQ(host, "unknown.test");
  }());
}

TEST(Dns, fault77_impossible_names_are_refused) {
  run([]() -> Coro<> {
    look_ups = 0;
    std::string null = co_await resolved(std::string("127.0.0.1\0.evil", 15));
    std::string label = co_await resolved(std::string(64, 'a') + ".test");
    std::string empty = co_await resolved("a..b");
    std::string name;
    for (int i = 0; i < 127; ++i) name += "a.";
    std::string longest = co_await resolved(name + "a");
    EXPECT_EQ(null, "asyncio::ValueError: a host name may not hold a null character");
    EXPECT_EQ(label, "asyncio::ValueError: host name label empty or too long: 64 bytes");
    EXPECT_EQ(empty, "asyncio::ValueError: host name label empty or too long: 0 bytes");
    EXPECT_EQ(longest, "asyncio::ValueError: host name too long: 255 bytes");
    EXPECT_EQ(look_ups, 0);
    std::string dotted = co_await resolved("unknown.test.");
    EXPECT_TRUE(dotted.starts_with("asyncio::GaiError")) << dotted;
  }());
}

/// Whoever answers for a name decides how many there are, and each may be tried.
TEST(Dns, R6_fault77_ten_thousand_addresses) {
  run([]() -> Coro<> {
    std::vector<SocketAddress> addresses = co_await resolve(ResolveRequest("many.test", 80));
    EXPECT_EQ(addresses.size(), 256u);
    EXPECT_EQ(addresses.front().str(), "127.1.0.1:80");
    EXPECT_EQ(addresses.back().str(), "127.1.1.6:80");
  }());
}

TEST(Dns, A3_1_every_address_is_tried_and_its_error_kept) {
  run([]() -> Coro<> {
    auto handler = [](StreamReader, StreamWriter) {};
    Server server = co_await start_server(handler, "127.0.0.2", 0);
    auto port = server.sockets().at(0).port();
    // Nobody listens on the first address.
    auto [reader, writer] = co_await open_connection("two.test", port);
    EXPECT_EQ(writer.peername().host(), "127.0.0.2");
    writer.close();
    server.close();
    co_await server.wait_closed();
    std::string text;
    try {
      co_await open_connection("two.test", port);
    } catch (const ConnectionRefusedError& e) {
      text = e.what();
    }
    std::string number = std::to_string(port);
    EXPECT_EQ(text, "Multiple exceptions: connect 127.0.0.1:" + number +
                        ": Connection refused, connect 127.0.0.2:" + number +
                        ": Connection refused");
  }());
}

/// Fault 62: the first address does not answer, the second does.
TEST(Dns, D11_fault62_happy_eyeballs) {
  run([]() -> Coro<> {
    test::Blackhole blackhole;
    auto handler = [](StreamReader, StreamWriter) {};
    Server server = co_await start_server(handler, "127.0.0.2", blackhole.port());
    ConnectOptions options;
    options.happy_eyeballs_delay(5ms);
    auto descriptors = [] {
      return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
    };
    auto began = get_running_loop().time();
    auto before = descriptors();
    auto [reader, writer] = co_await open_connection("two.test", blackhole.port(), options);
    EXPECT_EQ(writer.peername().host(), "127.0.0.2");
    EXPECT_LT(get_running_loop().time() - began, 900ms);
    std::string end = co_await reader.read();
    writer.close();
    co_await writer.wait_closed();
    EXPECT_EQ(descriptors(), before);  // the loser is closed
    server.close();
    co_await server.wait_closed();
    auto connecting = create_task([options, port = blackhole.port()]() -> Coro<Streams> {
      co_return co_await open_connection("two.test", port, options);
    });
    co_await sleep(20ms);  // now the second is refused, and the first one still hangs
    EXPECT_FALSE(connecting.done());
    connecting.cancel();
    Result<Streams> cancelled = co_await capture(connecting);
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(descriptors(), before - 1);  // the server's is closed, too
    options.all_errors(true);
    std::size_t errors = 0;
    try {
      co_await open_connection("two.test", 1, options);
    } catch (const ExceptionGroup& group) {
      errors = group.exceptions().size();
    }
    EXPECT_EQ(errors, 2u);
  }());
}

Coro<std::string> resolve_name(std::string host) { co_return co_await resolved(host); }

/// Fault 76: the look-up cannot be ended, the wait can.
TEST(Dns, R7_fault76_cancelled_look_up_ends_at_once) {
  hang = true;
  run([]() -> Coro<> {
    auto waiting = create_task(resolve_name, "hangs.test");
    while (hanging == 0) co_await sleep(1ms);
    waiting.cancel();
    bool cancelled = false;
    try {
      co_await waiting;
    } catch (const CancelledError&) {
      cancelled = true;
    }
    EXPECT_TRUE(cancelled);
    EXPECT_EQ(hanging, 1);
    // The others go on: a hanging look-up takes one thread of several.
    std::string other = co_await resolved("two.test");
    EXPECT_EQ(other, "127.0.0.1:80 127.0.0.2:80");
    hang = false;
    while (hanging != 0) co_await sleep(1ms);
    for (int i = 0; i < 10; ++i) co_await sleep(1ms);  // the late answer is dropped
  }());
}

/// R7, fault 195: the loop closes while threads are inside getaddrinfo; they find nobody.
TEST(Dns, R7_fault195_loop_closes_while_look_ups_hang) {
  hang = true;
  run([]() -> Coro<> {
    std::vector<Task<std::string>> waiting;
    for (int i = 0; i < 10; ++i) waiting.push_back(create_task(resolve_name, "hangs.test"));
    while (hanging < 4) co_await sleep(1ms);
    co_await sleep(5ms);
    EXPECT_EQ(hanging, 4);  // kMaxThreads
  }());
  hang = false;
  EXPECT_TRUE(only_own_threads());
  EXPECT_EQ(hanging, 0);
}

/// Look-ups have threads of their own.
TEST(Dns, D11_fault43_a_full_executor_does_not_delay_a_look_up) {
  test::Gate gate;
  run([](test::Gate& opened) -> Coro<> {
    auto stuck = [&] { opened.wait(); };
    for (int i = 0; i < 100; ++i) get_running_loop().run_in_executor(nullptr, stuck);
    std::string answer = co_await resolved("two.test");
    EXPECT_EQ(answer, "127.0.0.1:80 127.0.0.2:80");
    EXPECT_FALSE(opened.is_open());
    opened.open();
  }(gate));
}

TEST(Dns, R10_fault44_without_threads_a_look_up_says_so_and_works_later) {
  run([]() -> Coro<> {
    {
      test::NoThreads none;
      std::string refused = co_await resolved("two.test");
      EXPECT_EQ(
          refused,
          "asyncio::BlockingIOError: start a thread to resolve 'two.test': Resource temporarily "
          "unavailable");
    }
    std::string answer = co_await resolved("two.test");
    EXPECT_EQ(answer, "127.0.0.1:80 127.0.0.2:80");
  }());
}

TEST(Dns, R5_idle_threads_are_joined) {
  for (int i = 0; i < 20; ++i) {
    run([]() -> Coro<> {
      std::vector<Coro<std::string>> names;
      for (int n = 0; n < 8; ++n) names.push_back(resolve_name("two.test"));
      auto answers = co_await gather(std::move(names));
      for (const auto& answer : answers) EXPECT_EQ(answer, "127.0.0.1:80 127.0.0.2:80");
    }());
    EXPECT_TRUE(only_own_threads());
  }
}

TEST(Dns, D8_simulated_loop_knows_localhost_and_asks_for_the_rest) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    look_ups = 0;
    std::string local = co_await resolved("localhost");
    EXPECT_EQ(local, "127.0.0.1:80");
    EXPECT_EQ(look_ups, 0);
    std::string two = co_await resolved("two.test");
    EXPECT_EQ(two, "127.0.0.1:80 127.0.0.2:80");
  });
}

}  // namespace
