// SPDX-License-Identifier: BSL-1.0
// returncode is None while the child runs; wait() returns it, at once when the child is gone.
#include "python.hpp"

using namespace py;
using asyncio::PIPE;

Coro<> main_() {
  asyncio::Process p =
      co_await asyncio::create_subprocess_exec(asyncio::SubprocessOptions().stdin(PIPE), "cat");
  co_await asyncio::sleep(0s);
  print("running:", p.returncode());
  p.stdin()->close();
  int status = co_await p.wait();
  print("wait ->", status);
  int again = co_await p.wait();
  print("again ->", again, "returncode:", p.returncode());
  asyncio::Process ok = co_await asyncio::create_subprocess_exec("true");
  asyncio::Process bad = co_await asyncio::create_subprocess_shell("exit 7");
  int first = co_await ok.wait();
  int second = co_await bad.wait();
  print(first, second);
}

int main() { asyncio::run(main_()); }
