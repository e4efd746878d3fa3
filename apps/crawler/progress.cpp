// SPDX-License-Identifier: BSL-1.0
#include "crawler/progress.hpp"

#include <asyncio/sleep.hpp>

#include <cstdio>
#include <unistd.h>
#include <utility>

namespace crawler {

using namespace asyncio;
using namespace std::chrono_literals;

Progress::Progress(const Crawl& crawl, Frontier& frontier, bool beside_records)
    : crawl_(crawl),
      frontier_(frontier),
      begin_(get_running_loop().time()),
      on_terminal_(::isatty(STDERR_FILENO) == 1),
      beside_records_(beside_records) {}

Coro<std::string> Progress::line() {
  Counts counts = co_await frontier_.counts();
  const Tally& tally = crawl_.tally();
  double seconds = std::chrono::duration<double>(get_running_loop().time() - begin_).count();
  char text[200];
  std::snprintf(text, sizeof text,
                "%zu pages, %zu failed, %zu excluded, %zu waiting; %.1f MB, %.0f pages/s, %.1f s",
                counts.done, counts.failed, counts.excluded, counts.waiting,
                static_cast<double>(tally.bytes) / 1e6,
                static_cast<double>(tally.done) / std::max(seconds, 1e-3), seconds);
  co_return text;
}

Coro<> Progress::show() {
  if (on_terminal_ && beside_records_) co_return;
  while (true) {
    if (on_terminal_)
      co_await sleep(200ms);
    else
      co_await sleep(10s);
    std::string text = co_await line();
    visible_ = on_terminal_;
    std::fprintf(stderr, on_terminal_ ? "\r%s\033[K" : "%s\n", text.c_str());
  }
}

void Progress::clear() {
  if (std::exchange(visible_, false)) std::fprintf(stderr, "\r\033[K");
}

Coro<> Progress::finish(bool stopped) {
  std::string text = co_await line();
  clear();
  std::fprintf(stderr, "%s%s\n", stopped ? "stopped: " : "crawled: ", text.c_str());
}

}  // namespace crawler
