// SPDX-License-Identifier: BSL-1.0
// In debug mode call_soon, call_later and call_at from a foreign thread raise RuntimeError;
// call_soon_threadsafe is fine.
#include "python.hpp"

#include <thread>

using namespace py;

Coro<> main_() {
  auto loop = asyncio::get_running_loop();
  auto done = loop.create_future();
  std::vector<std::string> out;

  auto thread = [&] {
    for (const auto& [name, call] : Calls{
             {"call_soon", [&] { loop.call_soon(print); }},
             {"call_later", [&] { loop.call_later(0s, print); }},
             {"call_at", [&] { loop.call_at(asyncio::TimePoint(), print); }},
         }) {
      try {
        call();
        out.push_back(name + " ok");
      } catch (const RuntimeError&) {
        out.push_back(name + " -> RuntimeError");
      }
    }
    loop.call_soon_threadsafe([&] { done.set_result(); });
  };

  std::thread th(thread);
  co_await done;
  th.join();
  print(join("\n", out));
}

int main() { asyncio::run(main_(), asyncio::RunOptions().debug(true)); }
