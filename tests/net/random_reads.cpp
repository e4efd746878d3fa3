// SPDX-License-Identifier: BSL-1.0
// Fault 65: reads of every kind that end early at any moment, over a network that slices.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "connected.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using test::Random;

/// Lines of up to 40 bytes, or of up to 4,000.
std::string lines(Random& random, int scale) {
  std::string text;
  for (int left = 1 + random.below(60); left > 0; --left) {
    auto length = static_cast<std::size_t>(random.below(40 * scale));
    text += std::string(length, static_cast<char>('a' + random.below(26))) + '\n';
  }
  if (random.one_in(2)) text.pop_back();  // the last is no line
  return text;
}

Coro<> send_all(StreamWriter writer, std::string_view text, int scale, Random& random) {
  while (!text.empty()) {
    std::string_view piece = text.substr(0, static_cast<std::size_t>(1 + random.below(90 * scale)));
    co_await writer.send(piece);
    text.remove_prefix(piece.size());
    co_await sleep(std::chrono::milliseconds(random.below(4)));
  }
  writer.close();
}

/// What a read gave, or a stream that ended within it; `ended` says whether there will be no more.
Coro<std::string> read_somehow(StreamReader reader, int how, std::size_t count, bool& ended) {
  try {
    std::string got;
    if (how == 0) got = co_await reader.readexactly(count);
    if (how == 1) got = co_await reader.readuntil("\n");
    if (how == 2) got = co_await reader.readline();
    if (how == 3) got = co_await reader.read(static_cast<std::ptrdiff_t>(count));
    ended = got.empty();
    co_return got;
  } catch (const IncompleteReadError& cut) {
    ended = true;
    co_return cut.partial;
  }
}

Coro<> read_everything(std::uint64_t seed) {
  Random random(seed);
  asyncio::testing::Network().slices(true).latency(0ms, 3ms);
  test::Connected both = co_await test::connected();
  const int scale = random.one_in(2) ? 1 : 100;
  const std::string sent = lines(random, scale);
  Random of_sender(seed + 1);
  Task<> sender = create_task(send_all, both.peer_writer(), sent, scale, std::ref(of_sender));

  std::string got;
  bool ended = false;
  while (!ended) {
    auto count = static_cast<std::size_t>(1 + random.below(80 * scale));
    Task<std::string> reading =
        create_task(read_somehow, both.reader(), random.below(4), count, std::ref(ended));
    if (random.one_in(2)) {
      co_await sleep(std::chrono::milliseconds(random.below(3)));
      reading.cancel();
    }
    auto outcome = co_await capture(wait_for(reading, std::chrono::milliseconds(random.below(6))));
    if (outcome) got += *outcome;
    // A read that was done when its time was up, too.
    else if (!reading.cancelled())
      got += reading.result();
  }
  co_await sender;
  EXPECT_EQ(got, sent);
  co_await both.close();
}

TEST(RandomReads, R2_fault65_random_cancellations_and_timeouts_lose_no_byte) {
  test::for_each_seed(
      [](std::uint64_t seed) { asyncio::testing::run_simulated(read_everything(seed), seed); });
}

}  // namespace
