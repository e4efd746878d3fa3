// SPDX-License-Identifier: BSL-1.0
// Seed 2: three simulated I/O operations under gather, finishing by delay.
#include "python.hpp"

using namespace py;

// the seed's sleep(delay), as deadlines from one common start: the order cannot depend on load
Coro<> sleep_until(asyncio::TimePoint when) {
  auto fut = asyncio::get_running_loop().create_future();
  asyncio::get_running_loop().call_at(when, [&] { fut.set_result(); });
  co_await fut;
}

Coro<> do_io_operation(std::string task_name, asyncio::TimePoint until) {
  print(f("{} 开始执行", task_name));
  co_await sleep_until(until);
  print(f("{} 执行完成", task_name));
}

Coro<> main_() {
  auto t0 = asyncio::get_running_loop().time();
  auto tasks = list(do_io_operation("任务1", t0 + 20ms), do_io_operation("任务2", t0 + 10ms),
                    do_io_operation("任务3", t0 + 30ms));
  co_await asyncio::gather(std::move(tasks));
}

int main() { asyncio::run(main_()); }
