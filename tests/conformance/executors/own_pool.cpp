// SPDX-License-Identifier: BSL-1.0
// An explicit pool of one worker runs its jobs in submission order; set_default_executor is
// used for None.
#include "python.hpp"

using namespace py;

std::vector<int> run_order;

int job(int i) {
  run_order.push_back(i);
  return i;
}

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  {
    asyncio::ThreadPoolExecutor pool(1);
    auto submit = [&](int i) { return loop.run_in_executor(pool, job, i); };
    auto futs = map(submit, range(5));
    print("results:", unpack(co_await asyncio::gather(futs)));
    print("run order:", unpack(run_order));
  }
  loop.set_default_executor(std::make_shared<asyncio::ThreadPoolExecutor>(1));
  print("default:", co_await loop.run_in_executor(nullptr, job, 9));
}

int main() { asyncio::run(main_()); }
