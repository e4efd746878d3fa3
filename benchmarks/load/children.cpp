// SPDX-License-Identifier: BSL-1.0
// usage: load_children COUNT
//
// Starts COUNT programs, 50 at once, and waits for them. Prints what is left.
#include <asyncio/gather.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/subprocess.hpp>
#include <asyncio/task.hpp>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <sys/wait.h>
#include <vector>

namespace {

using namespace asyncio;

constexpr int kAtOnce = 50;

std::ptrdiff_t descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

/// Children of ours that have ended and were not waited for, or still run.
int children_left() {
  siginfo_t info{};
  int found = ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
  return found == 0 ? 1 : 0;  // an error says that there is none
}

Coro<> run_all(std::int64_t count) {
  std::int64_t next = 0;
  std::int64_t failed = 0;
  auto work = [&]() -> Coro<> {
    while (next++ < count) {
      Process process = co_await create_subprocess_exec("/bin/true");
      int code = co_await process.wait();
      if (code != 0) ++failed;
    }
  };
  auto all = [&]() -> Coro<> {
    std::vector<Task<void>> workers;
    for (int i = 0; i < kAtOnce; ++i) workers.push_back(create_task(work()));
    co_await gather(workers);
  };
  std::int64_t wanted = std::exchange(count, kAtOnce);
  co_await all();  // what is made once
  std::ptrdiff_t before = descriptors();
  next = 0;
  count = wanted;
  co_await all();
  std::printf("{\"count\": %lld, \"failed\": %lld, \"descriptors\": %td, \"children\": %d}\n",
              static_cast<long long>(wanted), static_cast<long long>(failed),
              descriptors() - before, children_left());
}

}  // namespace

int main(int count, char** words) {
  return run_main(run_all(count > 1 ? std::atoll(words[1]) : 10000));
}
