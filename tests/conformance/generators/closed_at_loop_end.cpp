// SPDX-License-Identifier: BSL-1.0
// run() closes the async generators still suspended when main returns; their cleanup may await.
#include "python.hpp"

using namespace py;

std::vector<asyncio::AsyncGenerator<std::string>> keep;

asyncio::AsyncGenerator<std::string> source() {
  std::exception_ptr error;
  try {
    while (true) co_yield "item";
  } catch (...) {  // Rethrown after the finally part.
    error = std::current_exception();
  }
  co_await asyncio::sleep(0s);
  print("generator cleaned up");
  std::rethrow_exception(error);
}

Coro<> main_() {
  auto& gen = keep.emplace_back(source());
  print(co_await gen.next());
  print("main returns");
}

int main() {
  asyncio::run(main_());
  print("run returned");
}
