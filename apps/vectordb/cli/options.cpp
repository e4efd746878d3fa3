// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/options.hpp"

#include "vectordb/cli/output.hpp"
#include "vectordb/engine/config.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <sstream>

namespace vectordb::cli {

namespace {

constexpr const char* kExitStatuses =
    "Exit status: 0 done, 1 the server failed or refused (there is such a collection already, the\n"
    "key is wrong) or the output could not be written, 2 usage, 3 not found, 4 bad input, 5 no\n"
    "server answers, or it is not ready, 130 interrupted: by SIGINT, and insert, bench and export\n"
    "--output also by SIGTERM; the other commands die of that (143 in a shell).";

constexpr const char* kCsv =
    "CSV: a value is a number, true or false if JSON writes it the same (7, -1.5); any other is "
    "text\n"
    "(1.10, 1e5, 007), and an empty one is left out.";

// Not the server's limit, which another server may not have: one more is asked for with --near.
constexpr std::uint64_t kMostResults = std::numeric_limits<std::int32_t>::max();

void take_from_environment(const char* name, std::string& value) {
  const char* set = std::getenv(name);
  if (set && *set) value = set;
}

/// Before the command line is read. CLI11's envname() would do it afterwards, for each command that
/// was not called, and put it into the place of what the one that was called has been told.
void read_environment(Options& options) {
  take_from_environment("VECTORDB_URL", options.url);
  take_from_environment("VECTORDB_API_KEY", options.api_key);
  take_from_environment("VECTORDB_API_KEY", options.serve.api_key);
}

std::string range(auto least, const char* between, auto most) {
  std::ostringstream text;
  text << least << between << most;
  return text.str();
}

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

/// A whole number as one writes it. For CLI11 -1 is 2^64 - 1, and 010 is 8.
CLI::Validator whole(std::uint64_t least, std::uint64_t most = kMost) {
  auto check = [least, most](std::string& text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    auto [at, error] = std::from_chars(text.data(), end, number);
    bool is_one = error == std::errc() && at == end && (text.size() == 1 || text[0] != '0');
    if (is_one && number >= least && number <= most) return std::string();
    return "'" + text + "' is not a whole number from " + range(least, " to ", most);
  };
  return CLI::Validator(check, most == kMost ? "" : range(least, " - ", most));
}

/// A number in that range; CLI11's Range has NaN in all of them.
CLI::Validator number(double least, double most, const std::string& expected) {
  auto check = [least, most, expected](std::string& text) {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most)
      return std::string();
    return "'" + text + "' is not " + expected;
  };
  return CLI::Validator(check, "");
}

CLI::Validator seconds(double least, double most) {
  return number(least, most, "a number from " + range(least, " to ", most))
      .description(range(least, " - ", most));
}

/// Of those that a score has.
CLI::Validator finite() {
  constexpr double kLargest = std::numeric_limits<float>::max();
  return number(-kLargest, kLargest, "a finite number");
}

CLI::Validator not_empty() {
  auto check = [](std::string& text) { return std::string(text.empty() ? "it is empty" : ""); };
  return CLI::Validator(check, "");
}

CLI::App* command(CLI::App& app, Options& options, const char* name, const char* help) {
  CLI::App* sub = app.add_subcommand(name, help);
  sub->callback([&options, name] { options.command = name; });
  return sub;
}

/// Of what asks a server.
CLI::App* client(CLI::App& app, Options& options, const char* name, const char* help) {
  CLI::App* sub = command(app, options, name, help);
  sub->add_option("--url", options.url, "the server, or VECTORDB_URL")->capture_default_str();
  sub->add_option("--api-key", options.api_key, "the server's, or VECTORDB_API_KEY");
  sub->add_flag("--json", options.json, "prints JSON instead of a table");
  sub->add_option("--timeout", options.timeout, "of an attempt; to connect, 5 at most")
      ->check(seconds(0.1, 86400))
      ->capture_default_str()
      ->type_name("SECONDS");
  sub->add_option("--retries", options.retries, "attempts after the first of a request")
      ->check(whole(0, 1000))
      ->capture_default_str();
  auto* quiet = sub->add_flag("-q,--quiet", options.quiet, "no progress, and no word of retries");
  sub->add_flag("-v,--verbose", options.verbose, "tells of retries also where that is no terminal")
      ->excludes(quiet);
  return sub;
}

void collection(CLI::App* sub, Options& options) {
  sub->add_option("COLLECTION", options.collection, "its name")->required();
}

void add_serve(CLI::App& app, Options& options) {
  ServeOptions& serve = options.serve;
  CLI::App* sub = command(app, options, "serve", "runs a server until SIGINT or SIGTERM");
  sub->add_option("--host", serve.host, "where it listens")->capture_default_str();
  sub->add_option("-p,--port", serve.port, "0 lets the system choose")
      ->check(whole(0, 65'535))
      ->capture_default_str();
  sub->add_option("-d,--data", serve.folder, "the folder of the data")
      ->check(not_empty())
      ->required();
  sub->add_option("--api-key", serve.api_key, "clients have to know it; or VECTORDB_API_KEY");
  sub->add_option("--max-body", serve.max_body_bytes, "bytes of a request's body")
      ->check(whole(1024, std::uint64_t{1} << 30))
      ->capture_default_str();
  sub->add_option("--threads", serve.threads, "for searches; 0: as many as processors")
      ->check(whole(0, 1024))
      ->capture_default_str();
  auto set_grace = [&serve](const double& seconds) {
    serve.grace = std::chrono::duration<double>(seconds);
  };
  sub->add_option_function<double>("--grace", set_grace, "how long requests may go on at the end")
      ->check(seconds(0, 86400))
      ->default_str("10")
      ->type_name("SECONDS");
  sub->add_flag("-q,--quiet", serve.quiet, "no line for each request");
}

void add_create(CLI::App& app, Options& options) {
  CLI::App* sub = client(app, options, "create", "creates a collection");
  collection(sub, options);
  sub->add_option("DIM", options.dim, "dimensions of its vectors")
      ->check(whole(1, Limits::kDimensions))
      ->required();
  sub->add_option("--distance", options.distance, "how near two vectors are")
      ->transform(CLI::IsMember({"Cosine", "Dot", "Euclid", "Manhattan"}, CLI::ignore_case))
      ->capture_default_str();
  const HnswConfig server;
  sub->add_option("--m", options.m, "links of a point in the graph")
      ->check(whole(0))
      ->default_str(std::to_string(server.m));
  sub->add_option("--ef-construct", options.ef_construct, "neighbours looked at when building it")
      ->check(whole(0))
      ->default_str(std::to_string(server.ef_construct));
}

void add_transfer(CLI::App& app, Options& options) {
  CLI::App* insert = client(app, options, "insert", "puts points into a collection");
  insert->footer(std::string(kCsv) + "\n\n" + kExitStatuses);
  collection(insert, options);
  insert->add_option("FILE", options.file, "- is standard input")->capture_default_str();
  insert->add_option("-f,--format", options.format, "instead of the ending of the file's name")
      ->check(CLI::IsMember({"jsonl", "csv", "npy", "fvecs"}));
  insert->add_option("--first-id", options.first_id, "of the rows of .npy and .fvecs")
      ->check(whole(0))
      ->capture_default_str();
  insert->add_option("--batch", options.batch, "points of a request, or as many as make 25 MB")
      ->check(whole(1, 100'000))
      ->capture_default_str();
  insert->add_option("-c,--concurrency", options.concurrency, "requests at a time")
      ->check(whole(1, 1000))
      ->capture_default_str();

  CLI::App* output = client(app, options, "export", "writes all points as JSON lines");
  collection(output, options);
  output->add_option("-o,--output", options.file, "a file instead of standard output")
      ->check(not_empty());
  output->add_option("--batch", options.batch, "points of a request")
      ->check(whole(1, 100'000))
      ->capture_default_str();
}

void add_filter(CLI::App* sub, Options& options) {
  sub->add_option("--filter", options.filter, R"(JSON, as {"must": [{"key", "match"}]})");
}

void add_points(CLI::App& app, Options& options) {
  CLI::App* search = client(app, options, "search", "finds the nearest points");
  collection(search, options);
  auto* vector = search->add_option("--vector", options.vector, "[0.1, 0.2, ...]; - reads it");
  search->add_option("--near", options.near, "a point's id or name")->excludes(vector);
  search->add_option("-k,--top-k", options.limit, "how many")
      ->check(whole(1, kMostResults))
      ->capture_default_str();
  search->add_flag("--exact", options.exact, "looks at every vector");
  search->add_option("--ef", options.ef, "how thoroughly the graph is searched")->check(whole(0));
  search->add_option("--threshold", options.threshold, "no worse scores")->check(finite());
  add_filter(search, options);

  CLI::App* get = client(app, options, "get", "prints points");
  collection(get, options);
  get->add_option("ID", options.ids, "numbers, UUIDs or names")->required();

  CLI::App* remove = client(app, options, "delete", "deletes points, or a collection with --all");
  collection(remove, options);
  auto* ids = remove->add_option("ID", options.ids, "numbers, UUIDs or names");
  auto* all = remove->add_flag("--all", options.all, "the collection itself")->excludes(ids);
  add_filter(remove, options);
  remove->get_option("--filter")->excludes(ids)->excludes(all);

  CLI::App* info = client(app, options, "info", "tells of a collection, or lists all");
  info->add_option("COLLECTION", options.collection, "its name");
}

void add_bench(CLI::App& app, Options& options) {
  CLI::App* sub = client(app, options, "bench", "measures a server with random vectors");
  sub->add_option("--collection", options.scratch, "made for it, and deleted afterwards")
      ->capture_default_str();
  sub->add_option("--points", options.points, "to insert")
      ->check(whole(1, 10'000'000))
      ->capture_default_str();
  sub->add_option("--dim", options.dim, "dimensions")
      ->check(whole(1, Limits::kDimensions))
      ->capture_default_str();
  sub->add_option("--seconds", options.seconds, "of searching")
      ->check(seconds(0.1, 3600))
      ->capture_default_str();
  sub->add_option("-c,--concurrency", options.concurrency, "requests at a time")
      ->check(whole(1, 1000))
      ->capture_default_str();
  sub->add_option("-k,--top-k", options.limit, "how many a search finds")
      ->check(whole(1, kMostResults))
      ->capture_default_str();
  sub->add_option("--ef", options.ef, "how thoroughly the graph is searched")->check(whole(0));
  sub->add_flag("--exact", options.exact, "looks at every vector");
  sub->add_flag("--keep", options.keep, "does not delete the collection");
}

/// And says so: for CLI11, one is missing.
bool is_unknown_command(const CLI::App& app) {
  if (!app.get_subcommands().empty() || app.remaining_size() == 0) return false;
  std::fprintf(stderr,
               "vectordb: there is no command '%s'\nRun with --help for more information.\n",
               app.remaining().front().c_str());
  return true;
}

}  // namespace

std::optional<int> parse(int argc, char** argv, Options& options) {
  read_environment(options);
  CLI::App app("A vector database with the REST API of Qdrant: its server, and a client of both.");
  app.name("vectordb");
  app.footer(kExitStatuses);
  app.set_version_flag("--version", "vectordb " VECTORDB_VERSION ", REST API of Qdrant 1.19.0");
  app.require_subcommand(1);
  add_serve(app, options);
  add_create(app, options);
  add_transfer(app, options);
  add_points(app, options);
  add_bench(app, options);
  CLI::App* completion =
      command(app, options, "completion", "prints what teaches a shell the commands");
  completion->add_option("SHELL", options.shell)
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (is_unknown_command(app)) return kUsage;
    std::ostringstream help;
    bool done = app.exit(error, help) == 0;
    print(help.str());
    return done ? kDone : kUsage;
  }
  return std::nullopt;
}

}  // namespace vectordb::cli
