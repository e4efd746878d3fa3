// SPDX-License-Identifier: BSL-1.0
#include "http_get.hpp"

#include "files.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace fetch_all {

using namespace asyncio;

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// The length that the header promises, if it does.
std::optional<std::size_t> content_length(const std::string& header) {
  static constexpr std::string_view kName = "\r\ncontent-length:";
  std::string text = lower(header);
  auto at = text.find(kName);
  if (at == std::string::npos) return std::nullopt;
  const char* begin = text.data() + text.find_first_not_of(' ', at + kName.size());
  std::size_t length = 0;
  if (std::from_chars(begin, text.data() + text.size(), length).ec != std::errc())
    throw RuntimeError("bad Content-Length");
  return length;
}

void check_status(const std::string& header, const std::string& path) {
  std::string status = header.substr(0, header.find("\r\n"));
  bool fine = status.starts_with("HTTP/1.") && status.substr(8, 5) == " 200 ";
  if (!fine) throw RuntimeError("GET /" + path + ": " + status);
}

Coro<std::string> read_answer(StreamReader& reader, const std::string& path) {
  std::string header = co_await reader.readuntil("\r\n\r\n");
  check_status(header, path);
  std::optional<std::size_t> length = content_length(header);
  if (length) co_return co_await reader.readexactly(*length);
  co_return co_await reader.read();
}

}  // namespace

Coro<std::string> http_get(std::string host, unsigned port, std::string path) {
  auto [reader, writer] = co_await open_connection(host, port);
  writer.write("GET /" + escape(path) + " HTTP/1.0\r\nHost: " + host + "\r\n\r\n");
  auto answer = co_await capture(read_answer(reader, path));
  writer.close();
  co_return std::move(answer).value();
}

}  // namespace fetch_all
