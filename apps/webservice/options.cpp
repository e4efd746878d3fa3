// SPDX-License-Identifier: BSL-1.0
#include "webservice/options.hpp"

#include <CLI/CLI.hpp>
#include <filesystem>

namespace webservice {

namespace {

/// The pages lie beside the program.
std::string default_folder() {
  std::error_code failed;
  auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return (program.parent_path() / "static").string();
}

void add_seconds(CLI::App& app, const std::string& name, Seconds& value, const std::string& help) {
  auto set = [&value](const double& seconds) { value = Seconds(seconds); };
  app.add_option_function<double>(name, set, help)
      ->check(CLI::Range(0.001, 86400.0))
      ->default_str(CLI::detail::to_string(value.count()))
      ->type_name("SECONDS");
}

}  // namespace

std::optional<int> parse(int argc, char** argv, Options& options) {
  options.folder = default_folder();
  options.command.assign(argv, argv + argc);
  CLI::App app(
      "A small web service: notes as a JSON API, a slow answer that is cached, a chat over\n"
      "WebSocket, static pages, /health and /metrics. SIGINT and SIGTERM end it once the requests\n"
      "that it has are answered, SIGUSR2 when a new process has taken its place. Sockets of\n"
      "systemd (LISTEN_FDS) are used instead of --host and --port.");
  app.name("webservice");
  app.add_option("--host", options.host, "where it listens")->capture_default_str();
  app.add_option("-p,--port", options.port, "0 lets the system choose")
      ->envname("PORT")
      ->capture_default_str();
  app.add_option("--static", options.folder, "the folder of the pages")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  auto* certificate = app.add_option("--certificate", options.certificate,
                                     "serves https, and HTTP/2, with this certificate (PEM)")
                          ->check(CLI::ExistingFile)
                          ->type_name("FILE");
  app.add_option("--key", options.key, "its key, if that is in a file of its own")
      ->check(CLI::ExistingFile)
      ->type_name("FILE")
      ->needs(certificate);
  add_seconds(app, "--work", options.work, "what the slow answer takes");
  add_seconds(app, "--ttl", options.ttl, "how long the cache keeps an answer");
  add_seconds(app, "--clean", options.clean, "how often the cache is cleaned");
  add_seconds(app, "--heartbeat", options.heartbeat, "when a silent member of the chat is pinged");
  add_seconds(app, "--grace", options.grace, "how long requests may go on at the end");
  app.add_flag("-q,--quiet", options.quiet, "no line for each request");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

}  // namespace webservice
