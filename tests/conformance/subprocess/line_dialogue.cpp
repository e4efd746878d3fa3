// SPDX-License-Identifier: BSL-1.0
// Talking with a child line by line over its pipes.
#include "python.hpp"

using namespace py;
using asyncio::PIPE;

Coro<> main_() {
  asyncio::Process p = co_await asyncio::create_subprocess_exec(
      asyncio::SubprocessOptions().stdin(PIPE).stdout(PIPE), "sh", "-c",
      "while read x; do echo \"<$x>\"; done; echo bye");
  for (const auto& word : {"alpha"s, "beta"s}) {
    p.stdin()->write(word + "\n");
    co_await p.stdin()->drain();
    std::string line = co_await p.stdout()->readline();
    print(strip(line));
  }
  p.stdin()->close();
  std::string rest = co_await p.stdout()->read();
  print(strip(rest));
  int status = co_await p.wait();
  print("exit:", status);
}

int main() { asyncio::run(main_()); }
