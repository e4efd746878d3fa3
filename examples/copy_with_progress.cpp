// SPDX-License-Identifier: BSL-1.0
// copy_with_progress FROM TO: copies a file and shows how far it is.
#include <asyncio/asyncio.hpp>

#include <cstdint>
#include <cstdio>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;

  void print(char end) const {
    double percent =
        total > 0 ? 100.0 * static_cast<double>(done) / static_cast<double>(total) : 100;
    std::fprintf(stderr, "\r%5.1f %% of %.1f MiB%c", percent,
                 static_cast<double>(total) / (1 << 20), end);
  }
};

/// Runs beside the copying, until it is cancelled.
Coro<> show(const Progress& progress) {
  while (true) {
    progress.print(' ');
    co_await sleep(100ms);
  }
}

Coro<> copy_file(std::string from, std::string to) {
  constexpr std::size_t kChunk = 1 << 20;
  File input = co_await open_file(from, "r");
  File output = co_await open_file(to, "w");
  Progress progress;
  FileStatus status = co_await input.stat();
  progress.total = status.size();
  Task<> display = create_task(show, std::cref(progress));
  while (true) {
    Bytes chunk = co_await input.read(kChunk);
    if (chunk.empty()) break;
    std::size_t size = chunk.size();
    co_await output.write(std::move(chunk));
    progress.done += size;
  }
  co_await output.fsync();
  display.cancel();
  progress.print('\n');
}

Coro<int> run_example(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: copy_with_progress FROM TO\n", stderr);
    co_return 2;
  }
  try {
    co_await copy_file(argv[1], argv[2]);
  } catch (const OSError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 1;
  }
  co_return 0;
}

int main(int argc, char** argv) { return run_main(run_example(argc, argv)); }
