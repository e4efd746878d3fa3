// SPDX-License-Identifier: BSL-1.0
// Seed 1 errors 1 and 3: create_task without a running loop and run() inside one raise
// RuntimeError; a sync function called by the loop may use create_task.
#include "python.hpp"

using namespace py;

Coro<std::string> fetch_data() { co_return "data"; }

void outside() {
  auto coro = fetch_data();
  try {
    asyncio::create_task(std::move(coro));
  } catch (const RuntimeError& e) {
    print("outside:", e);
  }
  coro.close();
}

asyncio::Task<std::string> plain_function() { return asyncio::create_task(fetch_data()); }

Coro<> main_() {
  auto task = plain_function();
  print("from a plain function inside the loop:", co_await task);
  auto coro = fetch_data();
  try {
    asyncio::run(std::move(coro));
  } catch (const RuntimeError& e) {
    print("nested:", e);
  }
  coro.close();
  print(co_await fetch_data());
}

int main() {
  outside();
  asyncio::run(main_());
}
