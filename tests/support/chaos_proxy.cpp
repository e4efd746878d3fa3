// SPDX-License-Identifier: BSL-1.0
#include "chaos_proxy.hpp"

#include "asyncio/asyncio.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <linux/sockios.h>
#include <sys/ioctl.h>
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
        replies_(weather.strikes(to_client) && weather.condition == Condition::replied),
        random_(random) {}

  /// Passes bytes on until their end, or until the weather strikes. Returns whether it has, other
  /// than with an end.
  Coro<bool> carry() {
    if (replies_) co_return co_await carry_reply();
    while (left_ > 0) {
      std::string some = co_await from_.read(kChunk);
      if (some.empty()) break;
      suffer(some);
      co_await pass(std::move(some));
    }
    bool struck = left_ == 0 && weather_.condition != Condition::half_closed;
    if (!struck) to_.write_eof();
    co_return struck;
  }

 private:
  using Condition = Weather::Condition;
  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  static constexpr std::ptrdiff_t kChunk = 16 * 1024;

  /// Passes on what the server says, once, and to its last byte. One that is slower than quiet has
  /// its reply cut, which is weather, too.
  Coro<bool> carry_reply() {
    OptionalDelay limit;
    while (true) {
      auto some = co_await capture(wait_for(from_.read(kChunk), limit));
      if (some.holds<TimeoutError>() || some.value().empty()) break;
      co_await pass(std::move(some.value()));
      limit = weather_.quiet;
    }
    co_await until_taken();
    co_return true;
  }

  /// A reset drops what the kernel has not delivered.
  Coro<> until_taken() {
    for (int queued = 1; queued > 0; co_await sleep(1ms)) {
      int fd = to_.fileno();
      if (fd < 0 || ::ioctl(fd, SIOCOUTQ, &queued) != 0) co_return;
      queued += static_cast<int>(to_.get_write_buffer_size());
    }
  }

  /// Drops what is beyond the bytes that may pass, or changes the last of these.
  void suffer(std::string& some) {
    if (left_ == kNever) return;
    bool corrupts = weather_.condition == Condition::corrupted;
    if (corrupts && some.size() >= left_) {
      char& byte = some[left_ - 1];
      byte = static_cast<char>(byte ^ (1 << random_.below(8)));
      left_ = kNever;
      return;
    }
    some.resize(std::min(some.size(), left_));
    left_ -= some.size();
  }

  Coro<> pass(std::string bytes) {
    if (weather_.delay > 0) co_await sleep(std::chrono::milliseconds(weather_.delay));
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
  bool replies_;
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
  bool resets = weather.condition == Condition::reset || weather.condition == Condition::replied;
  if (broken || (struck && resets)) co_return End::broken;
  co_return struck&& weather.condition == Condition::stalled ? End::stalled : End::over;
}

}  // namespace

namespace {

Weather::Condition condition_in(const Climate& climate, Random& random) {
  int count = static_cast<int>(Weather::Condition::count) + (climate.corrupts ? 1 : 0);
  auto drawn = static_cast<Weather::Condition>(random.below(count));
  return climate.always.value_or(drawn);
}

std::size_t place_in(const Climate& climate, Random& random) {
  int end = random.one_in(2) ? climate.soon : climate.most;
  return static_cast<std::size_t>(std::max(climate.least, random.below(end)));
}

}  // namespace

Weather::Weather(Random& random, const Climate& climate)
    : condition(condition_in(climate, random)),
      to_client(!random.one_in(4) || condition == Condition::replied),
      after(place_in(climate, random)),
      slice(static_cast<std::size_t>(1 + random.below(random.one_in(4) ? 300 : 16'000))),
      slow_one_in(random.one_in(2) ? 40 : 0),
      delay(random.one_in(4) ? random.below(10) : 0),
      quiet(climate.quiet) {
  if (condition == Condition::corrupted) after = std::max<std::size_t>(after, 1);
}

std::string Weather::text() const {
  constexpr std::array<const char*, static_cast<std::size_t>(Condition::count) + 1> kNames{
      "fair",    "reset",   "truncated",           "half closed",
      "stalled", "refused", "replied, then reset", "corrupted"};
  return std::string(kNames[static_cast<std::size_t>(condition)]) + " after " +
         std::to_string(after) + (to_client ? " bytes to the client" : " bytes to the server") +
         ", in slices of " + std::to_string(slice) + ", each " + std::to_string(delay) + " ms late";
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

void ChaosProxy::calm() {
  calm_ = true;
  server_->abort_clients();
}

Coro<> ChaosProxy::serve(StreamReader reader, StreamWriter writer) {
  Weather weather = calm_ ? Weather() : Weather(random_, climate_);
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
