// SPDX-License-Identifier: BSL-1.0
// Starting a program that does not exist throws FileNotFoundError.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  try {
    co_await asyncio::create_subprocess_exec("/nonexistent/program");
  } catch (const asyncio::FileNotFoundError&) {
    print("FileNotFoundError");
  }
  std::string alive = co_await asyncio::sleep(0s, "yes"s);
  print("loop alive:", alive);
}

int main() { asyncio::run(main_()); }
