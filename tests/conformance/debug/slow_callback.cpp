// SPDX-License-Identifier: BSL-1.0
// In debug mode a callback or task step longer than slow_callback_duration is logged as a
// warning by the "asyncio" logger.
#include "python.hpp"

using namespace py;

std::vector<std::string> records;

void collect(const asyncio::LogRecord& record) {
  if (record.message.find("took") != std::string::npos)
    records.emplace_back(asyncio::level_name(record.level));
}

Coro<> main_(bool) {
  auto loop = asyncio::get_running_loop();
  loop.set_slow_callback_duration(10ms);
  loop.call_soon(blocking_sleep, 30ms);
  co_await asyncio::sleep(0s);
  co_await asyncio::sleep(0s);
}

int main() {
  asyncio::set_log_handler(collect);
  asyncio::run(main_(false), asyncio::RunOptions().debug(false));
  print("without debug:", len(records));
  asyncio::run(main_(true), asyncio::RunOptions().debug(true));
  print("with debug, reported:", len(records) >= 1, "level:", records.at(0));
  print("default threshold:", asyncio::new_event_loop().slow_callback_duration() == 100ms);
}
