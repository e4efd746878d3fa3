// SPDX-License-Identifier: BSL-1.0
// Seed 3 sections 4.2, 4.3 and misconception 2: a pipeline of awaits, an exception caught in
// main, a helper awaited directly.
#include "python.hpp"

using namespace py;

Coro<Dict<std::vector<int>>> fetch_data() {
  co_await asyncio::sleep(10ms);
  Dict<std::vector<int>> data;
  data["data"] = {1, 2, 3};
  co_return data;
}

Coro<int> process_data(Dict<std::vector<int>> data) {
  co_await asyncio::sleep(10ms);
  co_return sum(data["data"]);
}

Coro<> risky_operation() {
  co_await asyncio::sleep(10ms);
  throw ValueError("出错了");
}

Coro<std::string> helper() { co_return "helper result"; }

Coro<std::string> main_() {
  print("处理结果:", co_await process_data(co_await fetch_data()));
  try {
    co_await risky_operation();
  } catch (const ValueError& e) {
    print(f("捕获异常: {}", e));
  }
  co_return co_await helper();
}

int main() { print(asyncio::run(main_())); }
