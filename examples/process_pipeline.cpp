// SPDX-License-Identifier: BSL-1.0
// process_pipeline COMMAND...: runs `COMMAND | COMMAND | ...` and tells how each of them ended.
//
//     process_pipeline 'tr -cs a-zA-Z "\n"' sort 'uniq -c' 'sort -rn' 'head -5' < README.md
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace asyncio;

/// A descriptor that is closed with its owner; -1 for none.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

/// What is written to the second comes out of the first.
std::pair<Descriptor, Descriptor> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw OSError(errno, "pipe2");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// The first reads what we could, the last writes where we do.
Coro<std::vector<Process>> start_pipeline(const std::vector<std::string>& commands) {
  std::vector<Process> processes;
  Descriptor input;
  for (const std::string& command : commands) {
    SubprocessOptions options;
    Descriptor output, next_input;
    if (input.get() >= 0) options.stdin(input.get());
    if (processes.size() + 1 < commands.size()) {
      std::tie(next_input, output) = make_pipe();
      options.stdout(output.get());
    }
    Process process = co_await create_subprocess_shell(options, command);
    processes.push_back(std::move(process));
    input = std::move(next_input);
  }
  co_return processes;
}

/// As bash's pipefail: the status of the last command that failed.
Coro<int> run_pipeline(std::vector<std::string> commands) {
  std::vector<Process> processes = co_await start_pipeline(commands);
  int result = 0;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    int status = co_await processes[i].wait();
    std::fprintf(stderr, "%s: %d\n", commands[i].c_str(), status);
    if (status != 0) result = status < 0 ? 128 - status : status;
  }
  co_return result;
}

int main(int argc, char** argv) {
  return run_main(run_pipeline(std::vector<std::string>(argv + 1, argv + argc)));
}
