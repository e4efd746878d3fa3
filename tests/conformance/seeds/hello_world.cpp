// SPDX-License-Identifier: BSL-1.0
// Seeds 1-3, the hello programs: start, one sleep, end; run() returns main's value.
#include "python.hpp"

using namespace py;

Coro<> hello() {
  print("Hello");
  co_await asyncio::sleep(10ms);
  print("World");
}

Coro<> hello_asyncio() {
  co_await asyncio::sleep(10ms);
  print("Hello, asyncio!");
}

Coro<> starting() {
  print("Starting");
  co_await asyncio::sleep(10ms);
  print("Ending");
}

Coro<std::string> with_value() {
  print("开始");
  co_await asyncio::sleep(10ms);
  print("结束");
  co_return "完成";
}

Coro<int> compute() { co_return 42; }

int main() {
  asyncio::run(hello());
  asyncio::run(hello_asyncio());
  asyncio::run(starting());
  print("结果:", asyncio::run(with_value()));
  print(asyncio::run(compute()));
}
