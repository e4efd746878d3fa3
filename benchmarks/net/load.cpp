// SPDX-License-Identifier: BSL-1.0
// Asks an echo server: every connection sends a message, waits for all of it, and sends the next.
//
// usage: echo_load KIND WHERE CONNECTIONS BYTES SECONDS REQUESTS SERVER_PID
//
// Ends after SECONDS, measured after a sixth of that to warm up, or after REQUESTS if that is not
// 0. Prints what was done and the processor time that the server took for it.
#include "listening.hpp"
#include "load_wire.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <deque>
#include <string>
#include <sys/epoll.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds that a process has used.
class ProcessorTime {
 public:
  explicit ProcessorTime(pid_t process) {
    if (::clock_getcpuclockid(process, &clock_) != 0) echo::give_up("clock of the server");
  }
  double now() const {
    timespec time{};
    ::clock_gettime(clock_, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

 private:
  clockid_t clock_{};
};

struct Conversation {
  Conversation(const std::string& kind, const std::string& where) : wire(kind, where) {}
  echo::Wire wire;
  std::size_t sent = 0;
  std::size_t got = 0;
  bool waits_for_room = false;
  Clock::time_point begin;
};

class Load {
 public:
  Load(const std::string& kind, const std::string& where, int count, std::size_t bytes)
      : message_(bytes, 'x'), room_(2 * echo::kRoom) {
    for (int i = 0; i < count; ++i) {
      Conversation& one = all_.emplace_back(kind, where);
      watch(one, EPOLL_CTL_ADD, EPOLLIN);
    }
  }

  void begin() {
    for (Conversation& one : all_) ask(one);
  }

  /// Until `enough()`; how many answers came.
  template <class F>
  std::int64_t run(F enough) {
    std::int64_t before = answers_;
    epoll_event events[256];
    while (!enough(answers_ - before)) {
      int count = ::epoll_wait(epoll_, events, 256, 2000);
      if (count <= 0) {
        std::fprintf(stderr, "no answer for two seconds\n");
        std::exit(1);
      }
      for (int i = 0; i < count; ++i) {
        auto& one = *static_cast<Conversation*>(events[i].data.ptr);
        if (events[i].events & EPOLLOUT) send(one);
        if (events[i].events & ~static_cast<std::uint32_t>(EPOLLOUT)) receive(one);
      }
    }
    return answers_ - before;
  }

  void forget_latencies() { latencies_.clear(); }
  double latency(double quantile) {
    if (latencies_.empty()) return 0;
    auto at = latencies_.begin() +
              static_cast<std::ptrdiff_t>(quantile * static_cast<double>(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), at, latencies_.end());
    return *at;
  }

 private:
  void watch(Conversation& one, int what, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = &one;
    ::epoll_ctl(epoll_, what, one.wire.fd(), &event);
  }

  void ask(Conversation& one) {
    one.sent = one.got = 0;
    one.begin = Clock::now();
    send(one);
  }

  void send(Conversation& one) {
    while (one.sent < message_.size()) {
      ssize_t sent = one.wire.send(message_.data() + one.sent, message_.size() - one.sent);
      if (sent < 0) break;
      one.sent += static_cast<std::size_t>(sent);
    }
    bool waits = one.sent < message_.size();
    if (waits == one.waits_for_room) return;
    one.waits_for_room = waits;
    watch(one, EPOLL_CTL_MOD, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }

  void receive(Conversation& one) {
    // TLS may have decrypted more than was asked for, of which epoll knows nothing.
    while (one.got < message_.size()) {
      ssize_t got = one.wire.receive(room_.data(), room_.size());
      if (got < 0) return;
      one.got += static_cast<std::size_t>(got);
    }
    ++answers_;
    latencies_.push_back(
        std::chrono::duration<float, std::micro>(Clock::now() - one.begin).count());
    ask(one);
  }

  std::string message_;
  std::vector<char> room_;
  std::deque<Conversation> all_;
  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  std::int64_t answers_ = 0;
  std::vector<float> latencies_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 8) return 2;
  std::chrono::duration<double> seconds(std::atof(words[5]));
  std::int64_t requests = std::atoll(words[6]);
  ProcessorTime server(std::atoi(words[7]));
  Load load(words[1], words[2], std::atoi(words[3]), static_cast<std::size_t>(std::atol(words[4])));
  load.begin();
  auto until = [](Clock::time_point end) {
    return [end](std::int64_t) { return Clock::now() >= end; };
  };
  if (requests == 0)
    load.run(until(Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds / 6)));
  load.forget_latencies();
  double cpu = server.now();
  auto begin = Clock::now();
  std::int64_t done =
      requests > 0 ? load.run([&](std::int64_t answers) { return answers >= requests; })
                   : load.run(until(begin + std::chrono::duration_cast<Clock::duration>(seconds)));
  cpu = server.now() - cpu;
  std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("{\"rate\": %.0f, \"cpu_ns\": %.0f, \"p50\": %.1f, \"p99\": %.1f}\n",
              static_cast<double>(done) / took.count(), 1e9 * cpu / static_cast<double>(done),
              load.latency(0.5), load.latency(0.99));
}
