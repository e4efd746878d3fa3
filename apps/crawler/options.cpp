// SPDX-License-Identifier: BSL-1.0
#include "crawler/options.hpp"

#include <CLI/CLI.hpp>

namespace crawler {

namespace {

void add_seconds(CLI::App& app, const std::string& name, Seconds& value, const std::string& help) {
  auto set = [&value](const double& seconds) { value = Seconds(seconds); };
  app.add_option_function<double>(name, set, help)
      ->check(CLI::Range(0.0, 86400.0))
      ->default_str(CLI::detail::to_string(value.count()))
      ->type_name("SECONDS");
}

void add_limits(CLI::App& app, Options& options) {
  app.add_option("-d,--depth", options.depth, "how many links away from a seed")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("-n,--pages", options.pages, "how many pages at most")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--max-bytes", options.max_bytes, "how long a page may be")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--any-host", options.any_host, "leaves the hosts of the seeds");
}

void add_manners(CLI::App& app, Options& options) {
  app.add_option("-c,--concurrency", options.concurrency, "how many requests at once")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--per-host", options.per_host, "how many of them to one host")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  add_seconds(app, "--delay", options.delay, "between requests to one host, at least");
  app.add_option("--user-agent", options.user_agent, "how it introduces itself, also to robots.txt")
      ->capture_default_str();
  auto ignore = [&options](std::int64_t) { options.robots = false; };
  app.add_flag_function("--ignore-robots", ignore,
                        "for your own site: does not ask for robots.txt");
}

void add_patience(CLI::App& app, Options& options) {
  app.add_option("--retries", options.retries, "after errors that may pass")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  add_seconds(app, "--backoff", options.backoff, "before the first retry; doubles");
  add_seconds(app, "--timeout", options.timeout, "for one attempt");
}

}  // namespace

std::optional<int> parse(int argc, char** argv, Options& options) {
  CLI::App app(
      "Crawls web sites, breadth first, and prints a line of JSON for each page. SIGINT and "
      "SIGTERM\n"
      "stop it; with --state the same command goes on where it was, and loses and doubles "
      "nothing.");
  app.name("crawler");
  auto add_seed = [&options](const std::vector<std::string>& urls) {
    for (const std::string& url : urls) try {
        asyncio::http::URL seed = asyncio::http::URL::lenient(url).without_fragment();
        if (seed.scheme() != "http" && seed.scheme() != "https")
          throw CLI::ValidationError(url, "neither http nor https");
        options.seeds.push_back(seed);
      } catch (const asyncio::http::InvalidURL& error) {
        throw CLI::ValidationError(url, error.what());
      }
  };
  app.add_option_function<std::vector<std::string>>("URL", add_seed, "where it begins")->required();
  app.add_option("-o,--output", options.output, "a file for the lines, instead of stdout");
  app.add_option("-s,--state", options.state, "a SQLite file that remembers how far it is");
  add_limits(app, options);
  add_manners(app, options);
  add_patience(app, options);
  app.add_flag("-q,--quiet", options.quiet, "no progress");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace crawler
