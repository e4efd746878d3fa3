// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/access_log.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/wall_time.hpp"
#include "asyncio/web/request.hpp"
#include "http/characters.hpp"

#include <cstdio>
#include <ctime>
#include <unistd.h>
#include <utility>
#include <vector>

namespace asyncio::web {

namespace {

using http::detail::escaped;

/// Text, and behind it a field; the last one has none.
struct Piece {
  std::string text;
  std::string field;  // "a", "Tf", "{Referer}i"
};

/// "[22/Nov/2026:10:15:03 +0000]", `ago` before now.
std::string time_text(std::chrono::nanoseconds ago) {
  auto when = wall_time() - std::chrono::duration_cast<std::chrono::system_clock::duration>(ago);
  std::time_t seconds = std::chrono::system_clock::to_time_t(when);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  char text[64];
  std::snprintf(text, sizeof text, "[%02d/%s/%d:%02d:%02d:%02d +0000]", parts.tm_mday,
                kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                parts.tm_sec);
  return text;
}

std::string request_line(const Request& request) {
  return std::string(request.method().str()) + " " + escaped(request.target()) + " HTTP/" +
         std::to_string(request.version().major_number()) + "." +
         std::to_string(request.version().minor_number());
}

std::string value_of(const std::string& field, const AccessRecord& record) {
  const Request& request = record.request();
  auto micros = std::chrono::duration_cast<std::chrono::microseconds>(record.took()).count();
  if (field == "a") return request.remote().host();
  if (field == "t") return time_text(record.took());
  if (field == "P") return "<" + std::to_string(::getpid()) + ">";
  if (field == "r") return request_line(request);
  if (field == "s") return std::to_string(record.status().code());
  if (field == "b") return std::to_string(record.bytes());
  if (field == "T") return std::to_string(micros / 1'000'000);
  if (field == "Tf") return std::to_string(static_cast<double>(micros) / 1e6);
  if (field == "D") return std::to_string(micros);
  std::string_view name = std::string_view(field).substr(1, field.size() - 3);
  return escaped(request.headers().get(name, "-"));
}

/// The field that a '%' begins, which goes from the format.
std::string take_field(std::string_view& format) {
  auto take = [&](std::size_t size) {
    std::string field(format.substr(0, size));
    format.remove_prefix(size);
    return field;
  };
  if (format.starts_with("Tf")) return take(2);
  if (!format.empty() && http::detail::is_one_of(format.front(), "atPrsbTD")) return take(1);
  std::size_t end = format.find("}i");
  if (format.starts_with('{') && end != std::string_view::npos &&
      http::detail::is_token(format.substr(1, end - 1)))
    return take(end + 2);
  throw ValueError("access log: '%" + std::string(format.substr(0, 10)) + "' stands for nothing");
}

std::vector<Piece> parse_format(std::string_view format) {
  std::vector<Piece> pieces(1);
  while (!format.empty()) {
    std::size_t percent = format.find('%');
    pieces.back().text += format.substr(0, percent);
    if (percent == std::string_view::npos) break;
    format.remove_prefix(percent + 1);
    if (format.starts_with('%')) {
      pieces.back().text += '%';
      format.remove_prefix(1);
      continue;
    }
    pieces.back().field = take_field(format);
    pieces.emplace_back();
  }
  return pieces;
}

}  // namespace

AccessLogger access_logger(std::string_view format) {
  return [pieces = parse_format(format)](const AccessRecord& record) {
    std::string line;
    for (const Piece& piece : pieces) {
      line += piece.text;
      if (!piece.field.empty()) line += value_of(piece.field, record);
    }
    log(LogLevel::info, "asyncio.access", std::move(line));
  };
}

}  // namespace asyncio::web
