// SPDX-License-Identifier: BSL-1.0
// A crawler for web sites; --help says what it does.
#include "crawler/crawl.hpp"
#include "crawler/options.hpp"
#include "crawler/output.hpp"
#include "crawler/progress.hpp"
#include "crawler/sqlite.hpp"
#include "crawler/sqlite_frontier.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/exceptions.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/task.hpp>
#include <asyncio/wait.hpp>

#include <csignal>
#include <cstdio>
#include <string>

using namespace asyncio;

namespace {

constexpr int kFailed = 1;
constexpr int kStopped = 130;  // as a shell says it of SIGINT

/// Returns the exit status.
Coro<int> crawl(const crawler::Options& options) {
  crawler::Output output(options.output);
  crawler::SqliteFrontier frontier(options.state, output);
  crawler::Crawl crawl(options, frontier);
  crawler::Progress progress(crawl, frontier, output.is_terminal());

  auto crawling = create_task([&]() -> Coro<> { co_await crawl.run(); });
  EventLoop loop = get_running_loop();
  for (int signal : {SIGINT, SIGTERM})
    loop.add_signal_handler(signal, [crawling]() mutable { crawling.cancel(); });
  auto showing = create_task([&]() -> Coro<> {
    if (options.quiet) co_return;
    co_await progress.show();
  });

  auto outcome = co_await capture(crawling);
  showing.cancel();
  co_await wait(showing);
  progress.clear();
  if (!outcome && !outcome.cancelled()) outcome.rethrow();
  if (!options.quiet) co_await progress.finish(outcome.cancelled());
  const bool nothing = crawl.tally().done == 0 && crawl.tally().failed > 0;
  if (!outcome.cancelled()) co_return nothing ? kFailed : 0;
  if (!options.state.empty()) std::fprintf(stderr, "the same command goes on from here\n");
  co_return kStopped;
}

/// The same; what the user can mend is said in a line.
Coro<int> crawl_or_explain(const crawler::Options& options) {
  std::string problem;
  try {
    int status = co_await crawl(options);
    co_return status;
  } catch (const OSError& error) {
    problem = error.what();
  } catch (const crawler::DatabaseError& error) {
    problem = error.what();
  } catch (const crawler::OutputError& error) {
    problem = error.what();
  }
  std::fprintf(stderr, "crawler: %s\n", problem.c_str());
  co_return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  crawler::Options options;
  if (auto status = crawler::parse(argc, argv, options)) return *status;
  return run_main(crawl_or_explain(options));
}
