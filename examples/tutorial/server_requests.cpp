// SPDX-License-Identifier: BSL-1.0
#include <asyncio/asyncio.hpp>

#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

// [server]
Coro<std::string> handle_request(int id) {
  co_await sleep(100ms);
  co_return "response " + std::to_string(id);
}

Coro<> program() {
  auto begin = get_running_loop().time();
  std::vector<Coro<std::string>> requests;
  for (int id = 1; id <= 5; ++id) requests.push_back(handle_request(id));
  auto responses = co_await gather(std::move(requests));
  std::cout << responses.size() << " requests in " << (get_running_loop().time() - begin) / 1ms
            << " ms, the last: " << responses.back() << "\n";
}
// [/server]

int main() { run(program()); }
