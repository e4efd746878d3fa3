// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/options.hpp"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

namespace vectordb::cli {

namespace {

constexpr const char* kExitStatuses =
    "Exit status: 0 done, 1 the server failed, 2 usage, 3 not found, 4 bad input, 5 no server\n"
    "answers, 130 interrupted.";

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
  sub->add_flag("-q,--quiet", options.quiet, "no progress");
  return sub;
}

void collection(CLI::App* sub, Options& options) {
  sub->add_option("COLLECTION", options.collection, "its name")->required();
}

void add_serve(CLI::App& app, Options& options) {
  ServeOptions& serve = options.serve;
  CLI::App* sub = command(app, options, "serve", "runs a server until SIGINT or SIGTERM");
  sub->add_option("--host", serve.host, "where it listens")->capture_default_str();
  sub->add_option("-p,--port", serve.port, "0 lets the system choose")->capture_default_str();
  sub->add_option("-d,--data", serve.folder, "the folder of the data")->required();
  sub->add_option("--api-key", serve.api_key, "clients have to know it; or VECTORDB_API_KEY");
  sub->add_option("--max-body", serve.max_body_bytes, "bytes of a request's body")
      ->check(CLI::Range(std::size_t{1024}, std::size_t{1} << 30))
      ->capture_default_str();
  sub->add_option("--threads", serve.threads, "for searches; 0: as many as processors")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  auto set_grace = [&serve](const double& seconds) {
    serve.grace = std::chrono::duration<double>(seconds);
  };
  sub->add_option_function<double>("--grace", set_grace, "how long requests may go on at the end")
      ->check(CLI::Range(0.0, 86400.0))
      ->default_str("10")
      ->type_name("SECONDS");
  sub->add_flag("-q,--quiet", serve.quiet, "no line for each request");
}

void add_create(CLI::App& app, Options& options) {
  CLI::App* sub = client(app, options, "create", "creates a collection");
  collection(sub, options);
  sub->add_option("DIM", options.dim, "dimensions of its vectors")->required();
  sub->add_option("--distance", options.distance)
      ->transform(CLI::IsMember({"Cosine", "Dot", "Euclid", "Manhattan"}, CLI::ignore_case))
      ->capture_default_str();
  sub->add_option("--m", options.m, "links of a point in the graph");
  sub->add_option("--ef-construct", options.ef_construct, "neighbours looked at when building it");
}

void add_transfer(CLI::App& app, Options& options) {
  CLI::App* insert = client(app, options, "insert", "puts points into a collection");
  collection(insert, options);
  insert->add_option("FILE", options.file, "- is standard input")->capture_default_str();
  insert->add_option("-f,--format", options.format, "instead of the ending of the file's name")
      ->check(CLI::IsMember({"jsonl", "csv", "npy", "fvecs"}));
  insert->add_option("--first-id", options.first_id, "of the rows of .npy and .fvecs")
      ->capture_default_str();
  insert->add_option("--batch", options.batch, "points of a request")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  insert->add_option("-c,--concurrency", options.concurrency, "requests at a time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();

  CLI::App* output = client(app, options, "export", "writes all points as JSON lines");
  collection(output, options);
  output->add_option("-o,--output", options.file, "a file instead of standard output");
  output->add_option("--batch", options.batch, "points of a request")
      ->check(CLI::Range(1, 100'000))
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
  search->add_option("-k,--top-k", options.limit, "how many")->capture_default_str();
  search->add_flag("--exact", options.exact, "looks at every vector");
  search->add_option("--ef", options.ef, "how thoroughly the graph is searched");
  search->add_option("--threshold", options.threshold, "no worse scores");
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
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  sub->add_option("--dim", options.dim, "dimensions")->capture_default_str();
  sub->add_option("--seconds", options.seconds, "of searching")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
  sub->add_option("-c,--concurrency", options.concurrency, "requests at a time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  sub->add_option("-k,--top-k", options.limit, "how many a search finds")->capture_default_str();
  sub->add_option("--ef", options.ef, "how thoroughly the graph is searched");
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
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return std::nullopt;
}

}  // namespace vectordb::cli
