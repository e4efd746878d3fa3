// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [program]
Coro<std::string> fetch_user(int id) {
  co_await sleep(100ms);
  co_return "user " + std::to_string(id);
}

class Stopwatch {
 public:
  void report(const char* what) {
    auto elapsed = get_running_loop().time() - begin_;
    std::cout << what << ": " << elapsed / 100ms << " * 100 ms\n";
    begin_ = get_running_loop().time();
  }

 private:
  TimePoint begin_ = get_running_loop().time();
};

Coro<> program() {
  Stopwatch watch;
  for (int id = 1; id <= 5; ++id) co_await fetch_user(id);
  watch.report("one after the other");

  std::vector<Task<std::string>> tasks;
  for (int id = 1; id <= 5; ++id) tasks.push_back(create_task(fetch_user, id));
  for (auto& task : tasks) co_await task;
  watch.report("five tasks");

  std::vector<Coro<std::string>> coroutines;
  for (int id = 1; id <= 5; ++id) coroutines.push_back(fetch_user(id));
  auto users = co_await gather(std::move(coroutines));
  watch.report("gather");
  std::cout << users.front() << " ... " << users.back() << "\n";

  for (int id = 1; id <= 5; ++id) co_await create_task(fetch_user, id);
  watch.report("tasks awaited at once");
}
// [/program]

int main() { run(program()); }
