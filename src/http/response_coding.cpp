// SPDX-License-Identifier: BSL-1.0
#include "http/response_coding.hpp"

#include "http/characters.hpp"
#include "http/response_head.hpp"

#include <string>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// Of "gzip;q=0.5", in thousandths: 500. What is no number counts as 0.
int weight_of(std::string_view parameters) noexcept {
  while (!parameters.empty()) {
    std::string_view parameter = trimmed(take_until(parameters, ';'));
    if (parameter.size() < 3 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    parameter.remove_prefix(2);
    int weight = 0, unit = 1000;
    for (char c : parameter) {
      if (c == '.') continue;
      if (c < '0' || c > '9') return 0;
      weight += (c - '0') * unit;
      unit /= 10;
    }
    return weight;
  }
  return 1000;
}

/// The values of all fields of that name hold the word, or one of them is "*".
bool lists(const Headers& headers, std::string_view name, std::string_view word) {
  for (std::string_view value : headers.getall(name)) {
    while (!value.empty()) {
      std::string_view item = trimmed(take_until(value, ','));
      if (item == "*" || equal_without_case(item, word)) return true;
    }
  }
  return false;
}

bool may_be_coded(const web::Response& response) {
  const Headers& headers = response.headers();
  Status status = response.get_status();
  return !has_no_body(status) && !has_empty_body(status) && status != Status::PARTIAL_CONTENT &&
         !headers.contains("Content-Encoding") && !headers.contains("Content-Range") &&
         !lists(headers, "Cache-Control", "no-transform");
}

void say_varies(Headers& headers) {
  if (!lists(headers, "Vary", "Accept-Encoding")) headers.add("Vary", "Accept-Encoding");
}

void say_coded(Headers& headers, ContentCoding coding) {
  headers.set("Content-Encoding", name_of(coding));
  headers.remove("Content-Length");
  std::string etag(headers.get("ETag", ""));
  if (etag.starts_with('"')) headers.set("ETag", "W/" + etag);
}

/// What all fields together say: a list may be cut into several (RFC 9110, 5.3).
std::string accepted_by(const Headers& request) {
  std::string list;
  for (std::string_view value : request.getall("Accept-Encoding")) list.append(value).append(",");
  return list;
}

std::optional<ContentCoding> choose(const Headers& request, web::Response& response) {
  if (!may_be_coded(response)) return std::nullopt;
  say_varies(response.headers());
  return accepted_coding(accepted_by(request));
}

}  // namespace

std::optional<ContentCoding> accepted_coding(std::string_view accept_encoding) noexcept {
  constexpr int kUnsaid = -1;
  int gzip = kUnsaid, deflate = kUnsaid, others = 0;
  while (!accept_encoding.empty()) {
    std::string_view item = take_until(accept_encoding, ',');
    std::string_view name = trimmed(take_until(item, ';'));
    int weight = weight_of(item);
    if (equal_without_case(name, "gzip") || equal_without_case(name, "x-gzip")) gzip = weight;
    if (equal_without_case(name, "deflate")) deflate = weight;
    if (name == "*") others = weight;
  }
  if (gzip == kUnsaid) gzip = others;
  if (deflate == kUnsaid) deflate = others;
  if (gzip == 0 && deflate == 0) return std::nullopt;
  return gzip >= deflate ? ContentCoding::Gzip : ContentCoding::Deflate;
}

std::optional<ContentCoding> negotiate_coding(const Headers& request, web::Response& response) {
  std::optional<ContentCoding> coding = choose(request, response);
  if (coding) say_coded(response.headers(), *coding);
  return coding;
}

void compress_body(const Headers& request, web::Response& response) {
  std::optional<ContentCoding> coding = choose(request, response);
  if (!coding) return;
  std::string coded;
  make_encoder(*coding)->encode(response.get_body(), Flush::End, coded);
  if (coded.size() >= response.get_body().size()) return;
  response.body(std::move(coded));
  say_coded(response.headers(), *coding);
}

}  // namespace asyncio::http::detail
