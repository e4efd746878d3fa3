// SPDX-License-Identifier: BSL-1.0
// A child ended by a signal has minus the signal number as return code.
#include "python.hpp"

#include <csignal>

using namespace py;
using asyncio::PIPE;

Coro<asyncio::Process> start() {
  co_return co_await asyncio::create_subprocess_exec(asyncio::SubprocessOptions().stdin(PIPE),
                                                     "cat");
}

Coro<> main_() {
  asyncio::Process p = co_await start();
  p.kill();
  int status = co_await p.wait();
  print("kill:", status == -SIGKILL);
  p = co_await start();
  p.terminate();
  status = co_await p.wait();
  print("terminate:", status == -SIGTERM);
  p = co_await start();
  p.send_signal(SIGUSR1);
  status = co_await p.wait();
  print("send_signal:", status == -SIGUSR1);
}

int main() { asyncio::run(main_()); }
