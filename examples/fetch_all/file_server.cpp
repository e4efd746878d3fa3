// SPDX-License-Identifier: BSL-1.0
#include "file_server.hpp"

#include "files.hpp"

#include <string>
#include <string_view>

namespace fetch_all {

using namespace asyncio;
namespace fs = std::filesystem;

namespace {

/// The file a request names, or an empty path: a name may not lead out of the root.
fs::path find_file(const fs::path& root, const std::string& target) {
  if (!target.starts_with('/')) return {};
  fs::path name = fs::path(unescape(target.substr(1))).lexically_normal();
  if (name.is_absolute() || name.empty() || *name.begin() == "..") return {};
  std::error_code ignored;
  fs::path file = root / name;
  return fs::is_regular_file(file, ignored) ? file : fs::path();
}

std::string head(std::string_view status, std::size_t length) {
  return "HTTP/1.0 " + std::string(status) + "\r\nContent-Length: " + std::to_string(length) +
         "\r\nConnection: close\r\n\r\n";
}

/// "GET /path HTTP/1.0" and the header lines after it.
Coro<std::string> read_target(StreamReader& reader) {
  std::string request = co_await reader.readuntil("\r\n\r\n");
  std::string line = request.substr(0, request.find("\r\n"));
  auto first = line.find(' ');
  auto second = line.find(' ', first + 1);
  if (first != 3 || !line.starts_with("GET") || second == std::string::npos) co_return "";
  co_return line.substr(4, second - 4);
}

Coro<> serve(fs::path root, std::chrono::milliseconds latency, StreamReader reader,
             StreamWriter writer) {
  std::string target = co_await wait_for(read_target(reader), std::chrono::seconds(10));
  co_await sleep(latency);
  fs::path file = find_file(root, target);
  if (file.empty()) {
    writer.write(head("404 Not Found", 0));
  } else {
    std::string content = co_await to_thread(read_file, file);
    writer.write(head("200 OK", content.size()));
    writer.write(std::move(content));
  }
  co_await writer.drain();
  writer.close();
  co_await writer.wait_closed();
}

}  // namespace

Coro<Server> start_file_server(fs::path root, std::chrono::milliseconds latency) {
  auto handler = [root, latency](StreamReader reader, StreamWriter writer) {
    return serve(root, latency, std::move(reader), std::move(writer));
  };
  co_return co_await start_server(handler, "127.0.0.1", 0, ServerOptions().backlog(1024));
}

}  // namespace fetch_all
