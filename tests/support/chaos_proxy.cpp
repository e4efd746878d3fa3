// SPDX-License-Identifier: BSL-1.0
#include "chaos_proxy.hpp"

#include "asyncio/asyncio.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace test {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// One direction of a connection.
class Way {
 public:
  Way(StreamReader from, StreamWriter to, const Weather& weather, bool to_client, Random& random)
      : from_(std::move(from)),
        to_(std::move(to)),
        weather_(weather),
        left_(weather.strikes(to_client) ? weather.after : kNever),
        random_(random) {}

  /// Passes bytes on until their end, or until the weather strikes. Returns whether it has, other
  /// than with an end.
  Coro<bool> carry() {
    while (left_ > 0) {
      std::string some = co_await from_.read(kChunk);
      if (some.empty()) break;
      some.resize(std::min(some.size(), left_));
      if (left_ != kNever) left_ -= some.size();
      co_await pass(std::move(some));
    }
    bool struck = left_ == 0 && weather_.condition != Weather::Condition::half_closed;
    if (!struck) to_.write_eof();
    co_return struck;
  }

 private:
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  static constexpr std::ptrdiff_t kChunk = 16 * 1024;

  Coro<> pass(std::string bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
      std::string slice = bytes.substr(done, weather_.slice);
      done += slice.size();
      co_await to_.send(std::move(slice));
      bool slow = weather_.slow_one_in != 0 && random_.one_in(weather_.slow_one_in);
      if (slow) co_await sleep(std::chrono::milliseconds(random_.below(4)));
    }
  }

  StreamReader from_;
  StreamWriter to_;
  const Weather& weather_;
  std::size_t left_;
  Random& random_;
};

void reset(const StreamWriter& writer) {
  linger at_once{1, 0};
  if (int fd = writer.fileno(); fd >= 0)
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  writer.abort();
}

/// How the connections end: as they should, or at once with what was sent, broken, or never.
enum class End : std::uint8_t { over, broken, stalled };

/// Waits until one way, or both, have ended; ends the other one.
Coro<End> end_of(Task<bool> up, Task<bool> down, const Weather& weather) {
  std::vector<Task<bool>> ways{up, down};
  bool struck = false;
  bool broken = false;
  while (!ways.empty() && !struck && !broken) {
    auto some = co_await asyncio::wait(ways, FIRST_COMPLETED);
    for (const Task<bool>& way : some.done) {
      auto carried = co_await capture(way);
      broken = broken || !carried.has_value();
      struck = struck || (carried.has_value() && carried.value());
    }
    ways = some.pending;
  }
  for (Task<bool>& way : ways) {
    way.cancel();
    (void)co_await capture(way);
  }
  using Condition = Weather::Condition;
  if (broken || (struck && weather.condition == Condition::reset)) co_return End::broken;
  co_return struck&& weather.condition == Condition::stalled ? End::stalled : End::over;
}

}  // namespace

Weather::Weather(Random& random)
    : condition(static_cast<Condition>(random.below(static_cast<int>(Condition::count)))),
      to_client(!random.one_in(4)),
      after(static_cast<std::size_t>(random.below(random.one_in(2) ? 4'000 : 400'000))),
      slice(static_cast<std::size_t>(1 + random.below(random.one_in(4) ? 300 : 16'000))),
      slow_one_in(random.one_in(2) ? 40 : 0) {}

std::string Weather::text() const {
  constexpr std::array<const char*, static_cast<std::size_t>(Condition::count)> kNames{
      "fair", "reset", "truncated", "half closed", "stalled", "refused"};
  return std::string(kNames[static_cast<std::size_t>(condition)]) + " after " +
         std::to_string(after) + (to_client ? " bytes to the client" : " bytes to the server") +
         ", in slices of " + std::to_string(slice);
}

Coro<> ChaosProxy::open() {
  auto handler = [this](StreamReader reader, StreamWriter writer) {
    return serve(std::move(reader), std::move(writer));
  };
  server_ = co_await start_server(handler, "127.0.0.1", 0);
}

Coro<> ChaosProxy::close() {
  server_->close();
  server_->abort_clients();
  co_await server_->wait_closed();
}

Coro<> ChaosProxy::serve(StreamReader reader, StreamWriter writer) {
  Weather weather(random_);
  Random random(static_cast<std::uint64_t>(random_.below(1 << 30)) + 1);
  log_ += weather.text() + "\n";
  if (weather.condition == Weather::Condition::refused) {
    reset(writer);
    co_return;
  }
  auto server = co_await capture(open_connection("127.0.0.1", target_));
  if (!server.has_value()) {
    reset(writer);
    co_return;
  }
  auto [server_reader, server_writer] = server.value();
  Way up(reader, server_writer, weather, false, random);
  Way down(server_reader, writer, weather, true, random);
  Task<bool> upwards = create_task(up.carry());
  Task<bool> downwards = create_task(down.carry());
  End end = co_await end_of(upwards, downwards, weather);
  if (end == End::stalled) (void)co_await capture(reader.read());  // until the client gives up
  if (end == End::over) {
    writer.close();
    server_writer.close();
  } else {
    reset(writer);
    reset(server_writer);
  }
}

}  // namespace test
