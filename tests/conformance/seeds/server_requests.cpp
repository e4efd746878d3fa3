// SPDX-License-Identifier: BSL-1.0
// Seed 3 section 7.9: five concurrent requests, responses in order.
#include "python.hpp"

using namespace py;

Coro<std::string> handle_request(int request_id) {
  co_await asyncio::sleep(10ms);
  co_return f("Response_{}", request_id);
}

Coro<> server_main() {
  print("服务器启动...");
  auto responses = co_await asyncio::gather(map(handle_request, range(5)));
  print(f("处理 {} 个请求", len(responses)));
  print(unpack(responses));
}

int main() { asyncio::run(server_main()); }
