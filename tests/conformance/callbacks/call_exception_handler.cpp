// SPDX-License-Identifier: BSL-1.0
// call_exception_handler passes the context to the custom handler as given.
#include "python.hpp"

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  std::vector<std::tuple<bool, std::string>> seen;
  loop.set_exception_handler([&](asyncio::EventLoop l, const asyncio::ExceptionContext& c) {
    seen.emplace_back(l == loop, c.message);
  });
  loop.call_exception_handler(asyncio::ExceptionContext("hello handler"));
  print(unpack(seen[0]));
  print("synchronous:", len(seen) == 1);
  co_return;
}

int main() { asyncio::run(main_()); }
