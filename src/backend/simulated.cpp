// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/simulated.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "simulated_gate.hpp"
#include "wake_event.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <poll.h>
#include <span>
#include <system_error>

namespace asyncio::detail {

namespace {

/// Whether this thread is the only one.
bool alone_in_process() {
  std::error_code error;
  std::filesystem::directory_iterator threads("/proc/self/task", error);
  return !error && std::distance(threads, std::filesystem::directory_iterator()) == 1;
}

}  // namespace

class SimulatedPoller final : public SimulatedGate {
 public:
  SimulatedPoller(std::uint64_t seed, FaultLayer* faults)
      : SimulatedGate(seed, faults), chance_(seed ^ kOfChance) {}

  std::string_view name() const noexcept override { return "simulated"; }
  TimePoint now() noexcept override { return now_; }
  std::chrono::system_clock::time_point wall_time() noexcept override {
    std::chrono::nanoseconds since_1970(
        deadline_after(kFirstDay.count(), Delay(now_.time_since_epoch())));
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1970));
  }
  int fill_random(std::span<unsigned char> bytes) noexcept override {
    for (unsigned char& byte : bytes) byte = static_cast<unsigned char>(chance_.next() >> 56);
    return 0;
  }
  void close() noexcept override {
    close_resources();
    wake_.close();
  }
  void external_work(int change) noexcept override { external_work_ += change; }
  void may_be_woken(int change) noexcept override { wakers_ += change; }

  int wake() noexcept override { return wake_.set(); }

  void poll(TimePoint deadline) override {
    deadline = end_late(deadline);
    if (deliver()) return;
    TimePoint next = std::min(deadline, next_arrival());
    bool for_ever = next == TimePoint::max();
    if (next <= now_) return wake_.clear();
    if (external_work_ > 0 || (for_ever && wakers_ > 0)) return wait_for_threads(next);
    if (for_ever) return wait_for_strangers();
    now_ = next;
    wake_.clear();
    deliver();
  }

  void advance(Delay amount) {
    now_ = TimePoint(
        std::chrono::nanoseconds(deadline_after(now_.time_since_epoch().count(), amount)));
  }

 private:
  void wait_for_threads(TimePoint deadline) {
    TimePoint begin = Clock::now();
    pollfd event{wake_.fd(), POLLIN, 0};
    timespec timeout{};
    bool for_ever = deadline == TimePoint::max();
    if (!for_ever) {
      auto left = deadline - now_;
      auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      timeout.tv_sec = seconds.count();
      timeout.tv_nsec = (left - seconds).count();
    }
    int count = ::ppoll(&event, 1, for_ever ? nullptr : &timeout, nullptr);
    if (count < 0 && errno != EINTR) throw_os_error(errno, "ppoll");
    if (count == 0) {
      now_ = deadline;
    } else if (!for_ever) {
      now_ = std::min(deadline, now_ + (Clock::now() - begin));
    }
    wake_.clear();
  }

  /// Nobody is known who could wake the loop. If there are other threads in the program, one of
  /// them may do so all the same, with call_soon_threadsafe, and gets a while for it.
  void wait_for_strangers() {
    pollfd event{wake_.fd(), POLLIN, 0};
    int patience = alone_in_process() ? 0 : kPatienceMilliseconds;
    int count = ::poll(&event, 1, patience);
    if (count == 0) running_loop().throw_deadlock();
    if (count < 0 && errno != EINTR) throw_os_error(errno, "poll");
    wake_.clear();
  }

  /// 1 January 2030, 00:00 UTC, since 1970.
  static constexpr std::chrono::nanoseconds kFirstDay = std::chrono::seconds(1'893'456'000);
  /// Makes bytes other numbers than those that decide what the network does with the same seed.
  static constexpr std::uint64_t kOfChance = 0x62'79'74'65'73;
  /// Real time.
  static constexpr int kPatienceMilliseconds = 10'000;

  TimePoint now_{};
  SeededRandom chance_;
  int external_work_ = 0;
  int wakers_ = 0;
  WakeEvent wake_{SystemGate(nullptr)};
};

std::unique_ptr<Backend> make_simulated_backend(std::uint64_t seed, FaultLayer* faults) {
  return std::make_unique<SimulatedPoller>(seed, faults);
}

SimulatedConditions* simulated_conditions(Loop& loop) noexcept {
  return dynamic_cast<SimulatedPoller*>(&loop.poller());
}

bool advance_simulated_clock(Delay amount) {
  Loop* loop = running_loop_or_null();
  auto* poller = loop ? dynamic_cast<SimulatedPoller*>(&loop->poller()) : nullptr;
  if (poller) poller->advance(amount);
  return poller != nullptr;
}

}  // namespace asyncio::detail
