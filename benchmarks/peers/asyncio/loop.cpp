// SPDX-License-Identifier: BSL-1.0
// This library's part in a comparison of event loops: does one workload N times and prints a line
//   {"w": WORKLOAD, "n": N, "wall": seconds, "cpu": seconds}
// after a tenth as a warm-up, unless BENCH_NOWARM is set. See README.md.
#include <asyncio/asyncio.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sched.h>
#include <semaphore>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What a workload took, and what else it has to tell.
class Report {
 public:
  void start() {
    wall_ = -seconds(CLOCK_MONOTONIC);
    cpu_ = -seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  void stop() {
    wall_ += seconds(CLOCK_MONOTONIC);
    cpu_ += seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  void add(const char* name, double value) {
    char text[80];
    std::snprintf(text, sizeof text, ", \"%s\": %.9f", name, value);
    more_ += text;
  }
  void print(const char* workload, std::int64_t n) const {
    std::printf("{\"w\": \"%s\", \"n\": %lld, \"wall\": %.9f, \"cpu\": %.9f%s}\n", workload,
                static_cast<long long>(n), wall_, cpu_, more_.c_str());
  }

 private:
  double wall_ = 0;
  double cpu_ = 0;
  std::string more_;
};

/// xorshift64*: the same numbers as in the other programs.
class Random {
 public:
  std::uint64_t below(std::uint64_t bound) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 2685821657736338717u % bound;
  }

 private:
  std::uint64_t state_ = 88172645463325252u;
};

void keep(std::uint64_t value) { asm volatile("" : : "r"(value)); }

double resident_bytes() {
  long total = 0;
  long resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%ld %ld", &total, &resident) != 2) resident = 0;
    std::fclose(file);
  }
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

Coro<std::uint64_t> echo(std::uint64_t value) { co_return value; }
Coro<std::uint64_t> echo_later(std::uint64_t value) {
  co_await sleep(0s);
  co_return value;
}
Coro<> yield_once() { co_await sleep(0s); }

// --- Coroutines and tasks ---------------------------------------------------------------------

Coro<> await_coroutines(std::int64_t n, Report& report) {
  report.start();
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += co_await echo(static_cast<std::uint64_t>(i));
  report.stop();
  keep(sum);
}

Coro<> await_tasks(std::int64_t n, Report& report) {
  report.start();
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    sum += co_await create_task(echo(static_cast<std::uint64_t>(i)));
  report.stop();
  keep(sum);
}

Coro<> create_then_await(std::int64_t n, Report& report) {
  report.start();
  std::vector<Task<std::uint64_t>> tasks;
  tasks.reserve(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    tasks.push_back(create_task(echo(static_cast<std::uint64_t>(i))));
  std::uint64_t sum = 0;
  for (auto& task : tasks) sum += co_await task;
  report.stop();
  keep(sum);
}

Coro<> wait_for_event(Event& event, std::int64_t& left, Event& all_done) {
  co_await event.wait();
  if (--left == 0) all_done.set();
}

/// Bytes of a task that waits for an event with all others; then all are woken.
Coro<> live_tasks(std::int64_t n, Report& report) {
  Event event;
  Event all_done;
  std::int64_t left = n;
  double before = resident_bytes();
  double begin = seconds(CLOCK_MONOTONIC);
  for (std::int64_t i = 0; i < n; ++i) create_task(wait_for_event(event, left, all_done)).state();
  co_await sleep(0s);
  report.add("spawn_wall", seconds(CLOCK_MONOTONIC) - begin);
  report.add("bytes", (resident_bytes() - before) / static_cast<double>(n));
  report.start();
  event.set();
  co_await all_done.wait();
  report.stop();
}

Coro<> gather_yielding(std::int64_t n, Report& report) {
  report.start();
  for (int round = 0; round < 10; ++round) {
    std::vector<Coro<>> children;
    children.reserve(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i) children.push_back(yield_once());
    co_await gather(std::move(children));
  }
  report.stop();
}

Coro<> innermost() { co_await sleep(1h); }
Coro<> middle() { co_await innermost(); }
Coro<> outermost() { co_await middle(); }

Coro<> cancel_three_frames(std::int64_t n, Report& report) {
  std::vector<Task<>> tasks;
  for (std::int64_t i = 0; i < n; ++i) tasks.push_back(create_task(outermost()));
  co_await sleep(0s);
  report.start();
  for (auto& task : tasks) task.cancel();
  co_await wait(tasks);
  report.stop();
}

Coro<> answer(Queue<std::uint64_t>& questions, Queue<std::uint64_t>& answers, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    auto value = co_await questions.get();
    co_await answers.put(value + 1);
  }
}

Coro<> ping_pong(std::int64_t n, Report& report) {
  Queue<std::uint64_t> questions(1);
  Queue<std::uint64_t> answers(1);
  auto other = create_task(answer(questions, answers, n));
  report.start();
  std::uint64_t value = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    co_await questions.put(value);
    value = co_await answers.get();
  }
  report.stop();
  co_await other;
}

// --- Callbacks --------------------------------------------------------------------------------

void step(EventLoop& loop, std::int64_t& left, Future<>& end) {
  if (--left > 0)
    loop.call_soon([&] { step(loop, left, end); });
  else
    end.set_result();
}

Coro<> callback_chain(std::int64_t n, Report& report) {
  auto loop = get_running_loop();
  auto end = loop.create_future();
  report.start();
  loop.call_soon([&] { step(loop, n, end); });
  co_await end;
  report.stop();
}

Coro<> callback_batch(std::int64_t n, Report& report) {
  auto loop = get_running_loop();
  auto end = loop.create_future();
  std::int64_t left = n;
  report.start();
  for (std::int64_t i = 0; i < n; ++i)
    loop.call_soon([&] {
      if (--left == 0) end.set_result();
    });
  co_await end;
  report.stop();
}

/// The program runs on core 0; its other thread belongs on core 1.
void move_to_other_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(1, &cores);
  sched_setaffinity(0, sizeof cores, &cores);
}

Coro<> post_batch(std::int64_t n, Report& report) {
  auto loop = get_running_loop();
  auto end = loop.create_future();
  std::int64_t left = n;
  report.start();
  std::thread poster([&] {
    move_to_other_core();
    for (std::int64_t i = 0; i < n; ++i)
      loop.call_soon_threadsafe([&] {
        if (--left == 0) end.set_result();
      });
  });
  co_await end;
  report.stop();
  poster.join();
}

Coro<> post_round_trips(std::int64_t n, Report& report) {
  auto loop = get_running_loop();
  auto end = loop.create_future();
  std::vector<double> took(static_cast<std::size_t>(n));
  report.start();
  std::thread poster([&] {
    move_to_other_core();
    std::binary_semaphore answered(0);
    for (double& trip : took) {
      double begin = seconds(CLOCK_MONOTONIC);
      loop.call_soon_threadsafe([&] { answered.release(); });
      answered.acquire();
      trip = seconds(CLOCK_MONOTONIC) - begin;
    }
    loop.call_soon_threadsafe([&] { end.set_result(); });
  });
  co_await end;
  report.stop();
  poster.join();
  std::sort(took.begin(), took.end());
  report.add("p50", took[took.size() / 2]);
  report.add("p99", took[took.size() * 99 / 100]);
}

// --- Time -------------------------------------------------------------------------------------

Coro<> sleeper(std::chrono::microseconds delay, std::int64_t& left, Event& all_done) {
  co_await sleep(delay);
  if (--left == 0) all_done.set();
}

Coro<> sleep_in_tasks(std::int64_t n, Report& report) {
  Random random;
  Event all_done;
  std::int64_t left = n;
  report.start();
  for (std::int64_t i = 0; i < n; ++i)
    create_task(sleeper(std::chrono::microseconds(random.below(100'000)), left, all_done)).state();
  co_await all_done.wait();
  report.stop();
}

template <Coro<std::uint64_t> (*limited)(std::uint64_t)>
Coro<> limit(std::int64_t n, Report& report) {
  report.start();
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i)
    sum += co_await wait_for(limited(static_cast<std::uint64_t>(i)), 10s);
  report.stop();
  keep(sum);
}

Coro<> arm_and_cancel(std::int64_t n, Report& report) {
  auto loop = get_running_loop();
  Random random;
  std::vector<TimerHandle> others;
  for (int i = 0; i < 10'000; ++i)
    others.push_back(
        loop.call_later(30s + std::chrono::microseconds(random.below(60'000'000)), [] {}));
  report.start();
  for (std::int64_t i = 0; i < n; ++i) {
    loop.call_later(10s + std::chrono::microseconds(random.below(60'000'000)), [] {}).cancel();
    if (i % 1024 == 1023) co_await sleep(0s);
  }
  report.stop();
  for (auto& other : others) other.cancel();
}

struct Workload {
  const char* name;
  Coro<> (*run)(std::int64_t, Report&);
  bool warm_up = true;
};

const Workload workloads[] = {
    {"M1d", await_coroutines},
    {"M1s", await_tasks},
    {"M1b", create_then_await},
    {"M1m", live_tasks, false},
    {"M2a", callback_chain},
    {"M2b", callback_batch},
    {"M3", ping_pong},
    {"M4a", sleep_in_tasks, false},
    {"M4b", limit<echo>},
    {"M4y", limit<echo_later>},
    {"M4c", arm_and_cancel},
    {"M5", gather_yielding},
    {"M9", cancel_three_frames, false},
    {"M10a", post_batch},
    {"M10b", post_round_trips},
};

Coro<> measure(const Workload& workload, std::int64_t n) {
  if (workload.warm_up && !std::getenv("BENCH_NOWARM")) {
    Report discarded;
    co_await workload.run(n / 10, discarded);
  }
  Report report;
  co_await workload.run(n, report);
  report.print(workload.name, n);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& workload : workloads)
    if (argc == 3 && std::string_view(argv[1]) == workload.name) {
      run(measure(workload, std::strtoll(argv[2], nullptr, 10)));
      return 0;
    }
  std::fprintf(stderr, "usage: asyncio_peer WORKLOAD N\n");
  return 2;
}
