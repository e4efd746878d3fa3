// SPDX-License-Identifier: BSL-1.0
// Downloads a folder of files concurrently and compares every byte: asyncio for C++ on a real job.
#include "file_server.hpp"
#include "files.hpp"
#include "http_get.hpp"
#include "options.hpp"
#include "progress.hpp"
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace asyncio;
using fetch_all::Options;

namespace {

/// What has been fetched so far.
class Tally {
 public:
  explicit Tally(std::size_t total) : progress(total) {}

  std::size_t files = 0;
  std::size_t bytes = 0;
  std::vector<std::string> failures;
  fetch_all::Progress progress;
};

/// One file, with a time limit for each attempt and a growing pause between attempts.
Coro<std::string> fetch(const Options& options, const std::string& path) {
  for (int attempt = 1;; ++attempt) {
    auto body = co_await capture(
        wait_for(fetch_all::http_get(options.host, options.port, path), options.timeout));
    if (body) co_return std::move(body).value();
    if (body.cancelled() || attempt == options.attempts) body.rethrow();
    co_await sleep(std::chrono::milliseconds(50) * attempt);
  }
}

Coro<> fetch_and_check(const Options& options, const std::string& path, Tally& tally) {
  std::string body = co_await fetch(options, path);
  std::string original = co_await to_thread(fetch_all::read_file, options.folder / path);
  if (body != original) throw RuntimeError("the bytes differ from the file");
  ++tally.files;
  tally.bytes += body.size();
  tally.progress.add(body.size());
}

/// A file that fails is noted; the others go on.
Coro<> fetch_one(const Options& options, const std::string& path, Semaphore& slots, Tally& tally) {
  co_await with(slots, [&]() -> Coro<> {
    auto outcome = co_await capture(fetch_and_check(options, path, tally));
    if (outcome.cancelled()) outcome.rethrow();
    if (!outcome) tally.failures.push_back(path + ": " + describe_exception(outcome.exception()));
  });
}

Coro<> fetch_all_files(const Options& options, const std::vector<std::string>& paths,
                       Tally& tally) {
  Semaphore slots(options.concurrency);
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    for (const auto& path : paths) group.create_task(fetch_one(options, path, slots, tally));
    co_return;
  });
}

/// The time one file takes when they are fetched one after another.
Coro<double> seconds_each(const Options& options, const std::vector<std::string>& paths) {
  auto loop = get_running_loop();
  TimePoint begin = loop.time();
  for (const auto& path : paths) {
    std::string body = co_await fetch(options, path);
    std::string original = co_await to_thread(fetch_all::read_file, options.folder / path);
    if (body != original) throw RuntimeError(path + ": the bytes differ from the file");
  }
  co_return std::chrono::duration<double>(loop.time() - begin).count() /
      static_cast<double>(paths.size());
}

/// Every n-th file, so that the sample is like the whole.
std::vector<std::string> sample_of(const std::vector<std::string>& paths, std::size_t count) {
  std::vector<std::string> sample;
  for (std::size_t i = 0; i < count && i < paths.size(); ++i)
    sample.push_back(paths[i * paths.size() / std::min(count, paths.size())]);
  return sample;
}

int report(const Tally& tally, double seconds, std::optional<double> each, bool stopped) {
  for (const auto& failure : tally.failures) std::fprintf(stderr, "failed: %s\n", failure.c_str());
  std::printf("%s%zu files, %s in %.2f s", stopped ? "stopped after " : "", tally.files,
              fetch_all::human_size(tally.bytes).c_str(), seconds);
  if (each && !stopped)
    std::printf(", %.1f times faster than one after another",
                *each * static_cast<double>(tally.files) / seconds);
  std::printf(", %zu failed\n", tally.failures.size());
  return tally.failures.empty() ? 0 : 1;
}

Coro<int> download(const Options& options, const std::vector<std::string>& paths) {
  auto loop = get_running_loop();
  std::optional<double> each;
  std::vector<std::string> sample = sample_of(paths, options.sample);
  if (!sample.empty()) each = co_await seconds_each(options, sample);

  Tally tally(paths.size());
  TimePoint begin = loop.time();
  auto outcome = co_await capture(fetch_all_files(options, paths, tally));
  double seconds = std::chrono::duration<double>(loop.time() - begin).count();
  int status = report(tally, seconds, each, !outcome);
  outcome.value();
  co_return status;
}

Coro<int> fetch_all_main(Options options) {
  std::vector<std::string> paths = fetch_all::list_files(options.folder, options.files);
  if (paths.empty()) throw RuntimeError(options.folder.string() + ": no files in it");
  std::optional<Server> server;
  if (options.host.empty()) {
    server = co_await fetch_all::start_file_server(options.folder, options.latency);
    options.host = "127.0.0.1";
    options.port = server->sockets().front().port();
  }
  std::printf("%zu files of %s from %s:%u, %zu at a time\n", paths.size(), options.folder.c_str(),
              options.host.c_str(), options.port, options.concurrency);
  std::fflush(stdout);  // also into a pipe, before the work begins
  int status = co_await download(options, paths);
  if (server) {
    server->close();
    co_await server->wait_closed();
  }
  co_return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    std::cout << fetch_all::usage;
    return 0;
  }
  try {
    return run_main(fetch_all_main(fetch_all::parse(argc, argv)));
  } catch (const std::invalid_argument& error) {
    std::cerr << "fetch_all: " << error.what() << "\n\n" << fetch_all::usage;
    return 2;
  }
}
