// SPDX-License-Identifier: BSL-1.0
// What can go wrong on a WebSocket when time passes and several tasks use it.
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "seeds.hpp"
#include "websocket_peer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test;
using asyncio::testing::run_simulated;
using http::ClientSession;

namespace {

/// Answers what it is told, to the end.
Coro<> answer_pings(Streams streams) {
  std::string heard;
  std::size_t done = 0;
  for (;;) {
    std::string some = co_await streams.first.read(4096);
    if (some.empty()) break;
    heard += some;
    std::vector<Frame> frames = frames_of(heard);
    for (; done < frames.size(); ++done)
      if (frames[done].first == kPing)
        streams.second.write(frame_bytes(kPong, frames[done].payload, true));
  }
}

Coro<> vanish() {
  std::map<std::string, std::chrono::nanoseconds> ended;
  EventLoop loop = get_running_loop();
  Handler handler = [&](WebSocket ws) -> Coro<> {
    WSMessage name = co_await ws.receive();
    auto message = co_await ws.next();
    EXPECT_FALSE(message);
    EXPECT_EQ(ws.close_code(), WSCloseCode::AbnormalClosure);
    ended[name.data] = loop.time().time_since_epoch();
  };
  Served served = co_await serve_each(handler, WebSocketOptions().heartbeat(10s, 3s));
  Streams gone = co_await shaken(served, ConnectOptions().local_addr("10.0.0.2", 0));
  Streams mute = co_await shaken(served, ConnectOptions().local_addr("10.0.0.3", 0));
  Streams here = co_await shaken(served, ConnectOptions().local_addr("10.0.0.4", 0));
  gone.second.write(frame_bytes(kText, "gone", true));
  mute.second.write(frame_bytes(kText, "mute", true));
  here.second.write(frame_bytes(kText, "here", true));
  Task<> answering = create_task(answer_pings, here);
  co_await sleep(1s);
  asyncio::testing::Network().isolate("10.0.0.2");
  co_await sleep(99s);
  EXPECT_EQ(ended.count("here"), 0u);
  for (const char* name : {"gone", "mute"}) {
    EXPECT_GE(ended[name], 13s) << name;
    EXPECT_LE(ended[name], 14s) << name;
  }
  here.second.abort();
  auto answered = co_await capture(answering);
  (void)answered;
  gone.second.abort();
  mute.second.abort();
  asyncio::testing::Network().heal();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault162_a_peer_that_vanishes_is_noticed_within_interval_and_timeout) {
  run_simulated(vanish());
}

Coro<> busy_handler() {
  bool done = false;
  Handler handler = [&](WebSocket ws) -> Coro<> {
    co_await ws.receive();
    co_await sleep(60s);  // nobody listens, which is not the peer's fault
    co_await ws.send_str("still here");
    auto message = co_await ws.next();
    EXPECT_FALSE(message);
    EXPECT_EQ(ws.close_code(), WSCloseCode::Ok);
    done = true;
  };
  Served served = co_await serve_each(handler, WebSocketOptions().heartbeat(5s));
  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws");
  co_await ws.send_str("go");
  std::string text = co_await ws.receive_str();
  EXPECT_EQ(text, "still here");
  co_await ws.close();
  co_await sleep(1s);
  EXPECT_TRUE(done);
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault162_a_handler_that_is_busy_loses_no_peer) {
  run_simulated(busy_handler());
}

/// Messages of all sizes, in frames of all sizes, with pings between them.
std::string numbered(Random& random, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    std::string text =
        std::to_string(i) + ":" + std::string(static_cast<std::size_t>(random.below(300)), 'x');
    int first = kTextBegins;
    while (text.size() > 1 && random.one_in(2)) {
      auto size = static_cast<std::size_t>(random.below(static_cast<int>(text.size())));
      bytes += frame_bytes(first, text.substr(0, size), true);
      text.erase(0, size);
      first = kGoesOn;
      if (random.one_in(3)) bytes += frame_bytes(kPing, "p", true);
    }
    bytes += frame_bytes(first | kEnds, text, true);
  }
  return bytes;
}

Coro<> receive_all(WebSocket ws, Random* random, int* expected) {
  for (;;) {
    Task<WSMessage> receiving =
        create_task([](WebSocket from) -> Coro<WSMessage> { return from.receive(); }, ws);
    if (random->one_in(2)) {
      co_await sleep(std::chrono::milliseconds(random->below(3)));
      receiving.cancel();
    }
    auto got = co_await capture(wait_for(receiving, std::chrono::milliseconds(random->below(6))));
    WSMessage message;
    if (got)
      message = *got;
    else if (!receiving.cancelled())  // it was done when its time was up, too
      message = receiving.result();
    else
      continue;
    if (message.type != WSMsgType::Text) break;
    EXPECT_TRUE(message.data.starts_with(std::to_string(*expected) + ":")) << message.data;
    ++*expected;
  }
}

Coro<> receive_with_cancels(std::uint64_t seed) {
  constexpr int kMessages = 30;
  Random random(seed);
  asyncio::testing::Network().slices(true).latency(0ms, 3ms);
  int received = 0;
  Handler handler = [&](WebSocket ws) -> Coro<> { co_await receive_all(ws, &random, &received); };
  Served served = co_await serve_each(handler);
  Streams streams = co_await shaken(served);
  Random of_sender(seed + 1);
  const std::string bytes = numbered(of_sender, kMessages);
  for (std::size_t at = 0; at < bytes.size();) {
    auto piece = static_cast<std::size_t>(1 + of_sender.below(400));
    co_await streams.second.send(std::string_view(bytes).substr(at, piece));
    at += piece;
    co_await sleep(std::chrono::milliseconds(of_sender.below(4)));
  }
  streams.second.write(frame_bytes(kClose, "", true));
  std::string rest = co_await streams.first.read();
  EXPECT_EQ(received, kMessages);
  std::vector<Frame> replies = frames_of(rest);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(replies, kPong, &Frame::first)),
            replies.size() - 1);
  streams.second.close();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault163_random_timeouts_and_cancels_lose_and_double_no_message) {
  for_each_seed([](std::uint64_t seed) { run_simulated(receive_with_cancels(seed), seed); },
                kSanitized ? 20 : 100);
}

/// Ten tasks send, one pings, one closes when it likes.
Coro<> many_senders(std::uint64_t seed) {
  Random random(seed);
  asyncio::testing::Network().slices(true).latency(0ms, 2ms);
  constexpr std::size_t kSize = 40'000;
  std::map<char, int> whole;
  std::map<char, std::string> texts;
  for (char letter = 'a'; letter < 'k'; ++letter)
    texts[letter] = letter + pattern(kSize, static_cast<unsigned>(letter));
  Handler handler = [&](WebSocket ws) -> Coro<> {
    while (auto message = co_await ws.next()) {
      char letter = message->data.empty() ? '?' : message->data[0];
      EXPECT_TRUE(message->data == texts[letter]) << letter;
      ++whole[letter];
    }
  };
  Served served = co_await serve_each(handler);
  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws",
                                             WebSocketOptions().compress(random.one_in(2)));
  std::map<char, int> sent;
  int refused = 0;
  auto send = [&](char letter) -> Coro<> {
    try {
      for (;;) {
        co_await ws.send_bytes(texts[letter]);
        ++sent[letter];
      }
    } catch (const ConnectionResetError&) {
      ++refused;
    }
  };
  auto ping = [&]() -> Coro<> {
    try {
      for (;;) {
        co_await ws.ping("p");
        co_await sleep(1ms);
      }
    } catch (const ConnectionResetError&) {
      ++refused;
    }
  };
  std::vector<Task<>> tasks;
  for (char letter = 'a'; letter < 'k'; ++letter) tasks.push_back(create_task(send(letter)));
  tasks.push_back(create_task(ping()));
  co_await sleep(std::chrono::milliseconds(5 + random.below(30)));
  co_await ws.close();
  EXPECT_EQ(ws.close_code(), WSCloseCode::Ok);
  co_await gather(tasks);
  EXPECT_EQ(refused, 11);
  // What was said to be sent has arrived; a message whose sender was still waiting may have.
  for (auto [letter, count] : sent) {
    EXPECT_GE(whole[letter], count);
    EXPECT_LE(whole[letter], count + 1);
  }
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault164_random_senders_are_not_mixed_and_know_when_it_is_over) {
  for_each_seed([](std::uint64_t seed) { run_simulated(many_senders(seed), seed); },
                kSanitized ? 5 : 20);
}

Coro<> close_beside_receiver(bool comes_back) {
  Served served = co_await serve_each([](WebSocket ws) -> Coro<> {
    co_await ws.send_str("one");
    co_await ws.send_str("two");
    while (co_await ws.next()) {
    }
  });
  ClientSession session;
  WebSocket ws = co_await session.ws_connect(served.url() / "ws");
  std::vector<WSMsgType> seen;
  auto receive = [&]() -> Coro<> {
    WSMessage first = co_await ws.receive();
    seen.push_back(first.type);
    co_await sleep(1s);  // at work, while another task closes
    if (comes_back) {
      WSMessage second = co_await ws.receive();
      seen.push_back(second.type);
    }
  };
  Task<> receiving = create_task(receive());
  co_await sleep(500ms);
  TimePoint before = get_running_loop().time();
  co_await ws.close();
  EXPECT_LT(get_running_loop().time() - before, 1s);
  EXPECT_EQ(ws.close_code(), WSCloseCode::Ok);
  co_await receiving;
  EXPECT_EQ(seen.size(), comes_back ? 2u : 1u);
  EXPECT_EQ(seen.back(), comes_back ? WSMsgType::Closed : WSMsgType::Text);
  session.close();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault160_close_does_not_need_the_task_that_receives) {
  run_simulated(close_beside_receiver(false));
  run_simulated(close_beside_receiver(true));
}

Coro<std::vector<Frame>> thousand_frames() {
  std::vector<Frame> frames;
  auto peer = [&](StreamReader reader, StreamWriter writer) -> Coro<> {
    std::string head = co_await reader.readuntil("\r\n\r\n");
    writer.write(answer_head(head, ""));
    std::string heard;
    std::string end = close_payload(1000);
    for (;;) {
      std::string some = co_await reader.read(1 << 16);
      heard += some;
      frames = frames_of(heard);
      if (!frames.empty() && frames.back().first == kClose) break;
    }
    writer.write(frame_bytes(kClose, end, false));
    writer.close();
  };
  Server server = co_await start_server(peer, "127.0.0.1", 0);
  ClientSession session;
  http::URL url("http://127.0.0.1:" + std::to_string(server.sockets().at(0).port()) + "/");
  WebSocket ws = co_await session.ws_connect(url);
  for (int i = 0; i < 999; ++i) co_await ws.send_str("same");
  co_await ws.close();
  session.close();
  server.close();
  co_await server.wait_closed();
  co_return frames;
}

TEST(WebSocketTraffic, fault166_each_frame_of_a_client_has_a_mask_of_its_own) {
  std::set<std::string> masks;
  std::array<int, 32> ones{};
  for (int loop = 0; loop < 2; ++loop) {
    std::vector<Frame> frames = run(thousand_frames());  // a simulated one's are those of its seed
    EXPECT_EQ(frames.size(), 1000u);
    for (const Frame& frame : frames) {
      EXPECT_TRUE(frame.masked);
      masks.insert(frame.mask);
      for (std::size_t bit = 0; bit < 32; ++bit) ones[bit] += frame.mask[bit / 8] >> (bit % 8) & 1;
    }
  }
  // Two equal ones among 2,000 happen once in 2,000 runs; three pairs never.
  EXPECT_GE(masks.size(), 1998u);
  for (int count : ones) {  // seven standard deviations
    EXPECT_GT(count, 1000 - 157);
    EXPECT_LT(count, 1000 + 157);
  }
}

/// One of many that does not read.
Coro<> broadcast(std::size_t clients) {
  constexpr int kMessages = 300;
  const std::string text(2000, 'x');
  EventLoop loop = get_running_loop();
  std::vector<std::size_t> sent(clients);
  std::size_t present = 0;
  Event go;
  Handler handler = [&](WebSocket ws) -> Coro<> {
    std::size_t me = present++;
    co_await go.wait();
    for (int i = 0; i < kMessages; ++i) {
      co_await ws.send_str(text);
      ++sent[me];
    }
    co_await ws.close();
  };
  Served served = co_await serve_each(handler, WebSocketOptions().compress(false));
  std::size_t on_time = 0;
  auto listen = [&]() -> Coro<> {
    ClientSession session;
    WebSocket ws = co_await session.ws_connect(served.url() / "ws");
    std::size_t got = 0;
    while (auto message = co_await ws.next()) ++got;
    if (got == kMessages && loop.time().time_since_epoch() < 2s) ++on_time;
    session.close();
  };
  Streams stalled = co_await shaken(served);  // the first of all
  std::vector<Task<>> tasks;
  for (std::size_t i = 1; i < clients; ++i) tasks.push_back(create_task(listen()));
  while (present < clients) co_await sleep(1ms);
  go.set();
  co_await gather(tasks);
  EXPECT_EQ(on_time, clients - 1);
  // It holds up nobody, and has cost what the network and the high-water mark hold.
  EXPECT_LT(sent[0], static_cast<std::size_t>(kMessages));
  EXPECT_LT(sent[0] * text.size(), 400'000u);
  stalled.second.abort();
  co_await served.cleanup();
}

TEST(WebSocketTraffic, fault167_one_of_many_that_does_not_read_holds_up_nobody) {
  run_simulated(broadcast(kSanitized ? 20 : kOptimized ? 1000 : 100));
}

}  // namespace
