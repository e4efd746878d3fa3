// SPDX-License-Identifier: BSL-1.0
// After shutdown_default_executor, run_in_executor(None) raises RuntimeError.
#include "python.hpp"
#include "python_threading.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  std::vector<std::string> done;
  threading::Event gate;
  auto fut = loop.run_in_executor(nullptr, [&] {
    gate.wait(10s);
    done.push_back("job");
  });
  loop.call_soon([&] { gate.set(); });
  co_await loop.shutdown_default_executor();
  print("shutdown waited for:", unpack(done));
  try {
    loop.run_in_executor(nullptr, print, "never");
  } catch (const RuntimeError&) {
    print("run_in_executor -> RuntimeError");
  }
  co_await fut;
}

int main() { asyncio::run(main_()); }
