// SPDX-License-Identifier: BSL-1.0
// communicate feeds stdin, collects stdout and stderr and waits for the exit.
#include "python.hpp"

using namespace py;
using asyncio::PIPE;

Coro<> main_() {
  asyncio::Process p = co_await asyncio::create_subprocess_exec(
      asyncio::SubprocessOptions().stdin(PIPE).stdout(PIPE).stderr(PIPE), "sh", "-c",
      "cat; echo oops >&2; exit 3");
  auto [out, err] = co_await p.communicate("hello\nchild\n");
  print("stdout:", join(" ", split(out)));
  print("stderr:", strip(err));
  print("returncode:", p.returncode());
}

int main() { asyncio::run(main_()); }
