// SPDX-License-Identifier: BSL-1.0
#include "thread_text.hpp"

#include <fstream>
#include <sys/syscall.h>
#include <unistd.h>

namespace asyncio::detail {

int this_thread_number() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

std::string thread_text(int number) {
  std::string text = "thread " + std::to_string(number);
  std::ifstream file("/proc/self/task/" + std::to_string(number) + "/comm");
  std::string name;
  if (std::getline(file, name)) text += " '" + name + "'";
  return text;
}

}  // namespace asyncio::detail
