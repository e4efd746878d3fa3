// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/command.hpp"

#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/input.hpp"
#include "vectordb/cli/output.hpp"
#include "vectordb/server/service.hpp"
#include <asyncio/http/client_errors.hpp>
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/runner.hpp>
#include <asyncio/with.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <unistd.h>
#include <utility>

namespace vectordb {

using namespace asyncio;

namespace cli {

namespace {

using Command = Status (*)(AsyncVectorDB&, const Options&);

Command command_of(const std::string& name) {
  static constexpr std::array<std::pair<std::string_view, Command>, 8> commands{{
      {"create", create},
      {"info", info},
      {"insert", insert},
      {"export", export_points},
      {"search", search},
      {"get", get},
      {"delete", remove},
      {"bench", bench},
  }};
  for (const auto& [known, command] : commands)
    if (known == name) return command;
  throw InvalidArgument("command", "'" + name + "' is none");
}

/// Else a server that says nothing looks like a command that hangs.
void tell_retry(const std::string& why, int attempt, const Options& options, Delay pause) {
  const char* line = ::isatty(STDERR_FILENO) == 1 ? "\r\033[K" : "";  // of a bar
  std::fprintf(stderr, "%svectordb: %s; attempt %d of %d in %.1f s\n", line, why.c_str(), attempt,
               options.retries + 1, static_cast<double>(pause.nanoseconds()) / 1e9);
}

ClientOptions client_options(const Options& options) {
  ClientOptions client;
  client.api_key(options.api_key)
      .connections(options.concurrency + 1)
      .timeout(std::chrono::duration<double>(options.timeout))
      .retries(options.retries);
  if (options.verbose || (!options.quiet && ::isatty(STDERR_FILENO) == 1))
    client.on_retry([&options](const std::string& why, int attempt, Delay pause) {
      tell_retry(why, attempt, options, pause);
    });
  return client;
}

Coro<int> ask_server(const Options& options) {
  ClientOptions client = client_options(options);
  AsyncVectorDB db = co_await AsyncVectorDB::connect(options.url, client);
  Command command = command_of(options.command);
  int status = co_await with(db, [&](AsyncVectorDB& open) { return command(open, options); });
  co_return status;
}

int fail(int status, const char* what) {
  std::fprintf(stderr, "vectordb: %s\n", what);
  return status;
}

/// Of what a command has thrown.
int status_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const NotFound& error) {
    return fail(kNotFound, error.what());
  } catch (const Unavailable& error) {
    return fail(kUnavailable, error.what());
  } catch (const BadRequest& error) {
    return fail(kBadInput, error.what());
  } catch (const TooLarge& error) {
    return fail(kBadInput, error.what());
  } catch (const InputError& error) {
    return fail(kBadInput, error.what());
  } catch (const InvalidArgument& error) {
    return fail(kBadInput, error.what());
  } catch (const http::InvalidURL& error) {
    return fail(kUsage, error.what());
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}

int run_client(const Options& options) {
  try {
    return run(ask_server(options));
  } catch (const KeyboardInterrupt&) {
    return fail(kStopped, "interrupted");
  } catch (const CancelledError&) {  // by SIGTERM: Termination
    return fail(kStopped, "interrupted");
  } catch (const std::exception&) {
    return status_of(std::current_exception());
  }
}

int run_server(const ServeOptions& options) {
  try {
    run(serve(options));
    return kDone;
  } catch (const KeyboardInterrupt&) {
    return fail(kStopped, "interrupted");
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}

int run_words(int argc, char** argv) {
  Options options;
  if (auto status = parse(argc, argv, options)) return *status;
  if (options.command == "serve") return run_server(options.serve);
  if (options.command != "completion") return run_client(options);
  print(completion(options.shell));
  return kDone;
}

}  // namespace

nlohmann::json parse_option(const std::string& text, const std::string& field) {
  try {
    return http::JsonCodec<nlohmann::json>::parse(text);
  } catch (const ValueError& error) {
    throw InvalidArgument(field, std::string("no JSON: ") + error.what());
  }
}

Filter filter_option(const Options& options) {
  if (options.filter.empty()) return {};
  return Filter::from_json(parse_option(options.filter, "--filter"), "--filter");
}

}  // namespace cli

int run_command(int argc, char** argv) {
  try {
    int status = cli::run_words(argc, argv);
    cli::flush_output();
    return status;
  } catch (const OSError& error) {  // what was printed was not written
    return cli::fail(cli::kFailed, error.what());
  }
}

}  // namespace vectordb
