// SPDX-License-Identifier: BSL-1.0
#include "options.hpp"

#include <charconv>
#include <stdexcept>
#include <string_view>

namespace fetch_all {

const char* const usage =
    "usage: fetch_all [FOLDER] [options]\n"
    "\n"
    "Downloads the files of FOLDER (default /usr/share/doc) over TCP, many at a time, from our "
    "own\n"
    "file server in the same process or any HTTP/1.0 server of that folder, and compares every\n"
    "byte.\n"
    "\n"
    "  --server HOST:PORT   a server whose document root is FOLDER\n"
    "  --files N            how many files (2000)\n"
    "  --concurrency N      how many at a time (100)\n"
    "  --timeout MS         for each attempt (10000)\n"
    "  --attempts N         for each file (3)\n"
    "  --latency MS         how long our own server waits before it answers, as one far away "
    "would\n"
    "                       (5)\n"
    "  --sample N           files fetched one after another for the comparison (100)\n";

namespace {

std::size_t number(std::string_view option, std::string_view text, std::size_t least) {
  std::size_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least ||
      value > 1'000'000'000)
    throw std::invalid_argument(std::string(option) + ": not a number from " +
                                std::to_string(least) + " up: '" + std::string(text) + "'");
  return value;
}

void set_server(Options& options, std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    throw std::invalid_argument("--server: expected HOST:PORT, got '" + std::string(text) + "'");
  options.host = text.substr(0, colon);
  options.port = static_cast<unsigned>(number("--server", text.substr(colon + 1), 1));
  if (options.port > 65535) throw std::invalid_argument("--server: no port above 65535");
}

void set_option(Options& options, std::string_view name, std::string_view value) {
  using std::chrono::milliseconds;
  if (name == "--server")
    set_server(options, value);
  else if (name == "--files")
    options.files = number(name, value, 1);
  else if (name == "--concurrency")
    options.concurrency = number(name, value, 1);
  else if (name == "--timeout")
    options.timeout = milliseconds(number(name, value, 1));
  else if (name == "--attempts")
    options.attempts = static_cast<int>(number(name, value, 1));
  else if (name == "--latency")
    options.latency = milliseconds(number(name, value, 0));
  else if (name == "--sample")
    options.sample = number(name, value, 0);
  else
    throw std::invalid_argument("unknown option " + std::string(name));
}

}  // namespace

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      options.folder = argument;
      continue;
    }
    if (i + 1 == argc) throw std::invalid_argument(std::string(argument) + " needs a value");
    set_option(options, argument, argv[++i]);
  }
  if (!std::filesystem::is_directory(options.folder))
    throw std::invalid_argument(options.folder.string() + ": no such folder");
  return options;
}

}  // namespace fetch_all
