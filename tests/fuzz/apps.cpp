// SPDX-License-Identifier: BSL-1.0
/// What the apps read that somebody else wrote: robots.txt and HTML; files of points; the JSON of
/// requests, answers, filters and paths. And what a log says. Whatever it is, it is taken or
/// refused as the documentation says.
#include "asyncio/http/json.hpp"
#include "choices.hpp"
#include "crawler/html_links.hpp"
#include "crawler/robots.hpp"
#include "vectordb/cli/input.hpp"
#include "vectordb/client/wire.hpp"
#include "vectordb/engine/config.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/filter.hpp"
#include "vectordb/engine/operation.hpp"
#include "vectordb/engine/payload_parts.hpp"
#include "vectordb/server/json_text.hpp"
#include "vectordb/server/requests.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

using fuzz::check;
using fuzz::Choices;
using nlohmann::json;

namespace {

std::string with_other_lines(const std::string& text) {
  std::string other;
  for (char c : text) other += c == '\n' ? std::string("\r\n") : std::string(1, c);
  return other;
}

/// The ends of lines mean nothing, and a path that is refused has a rule.
void robots(Choices& choices) {
  const std::string path = "/" + choices.text(choices.byte() % 32);
  const std::string text = choices.rest();
  const crawler::Robots rules(text, "Burl/1.0"), same(with_other_lines(text), "Burl/1.0");
  check(rules.allows(path) == same.allows(path), "the ends of lines change what is allowed");
  check(rules.crawl_delay() == same.crawl_delay(), "the ends of lines change the delay");
  if (rules.crawl_delay()) check(rules.crawl_delay()->count() >= 0, "a negative delay");
  if (text.find(':') == std::string::npos) check(rules.allows(path), "refused without a rule");
}

void html(const std::string& text) {
  const asyncio::http::URL page("http://example.com/folder/page?query#part");
  const crawler::HtmlSummary summary = crawler::summarize_html(text, page);
  std::set<std::string> seen;
  for (const asyncio::http::URL& link : summary.links) {
    check(link.scheme() == "http" || link.scheme() == "https", "a link of another scheme");
    check(link.str().find('#') == std::string::npos, "a link with a fragment");
    check(seen.emplace(link.str()).second, "a link twice");
  }
}

/// What json_of makes of it; nothing if it refuses.
std::optional<json> read_json(const std::string& text) {
  try {
    return vectordb::json_of(text);
  } catch (const vectordb::InvalidArgument&) {
    return std::nullopt;
  }
}

bool is_deep(const std::string& text) {
  try {
    asyncio::http::check_json_depth(text);
    return false;
  } catch (const asyncio::ValueError&) {
    return true;
  }
}

/// As nlohmann's parser has it, but for NUL bytes and what is nested too deep.
void json_text(const std::string& text) {
  const std::optional<json> ours = read_json(text);
  if (text.find('\0') != std::string::npos || is_deep(text)) return;
  const json theirs = json::parse(text, nullptr, false);
  check(theirs.is_discarded() == !ours, "JSON for one of the two parsers");
  if (ours) check(*ours == theirs, "other JSON than nlohmann's");
}

void points(Choices& choices) {
  const char* const formats[] = {"jsonl", "csv", "npy", "fvecs"};
  const std::string format = formats[choices.below(4)];
  std::istringstream input(choices.rest());
  try {
    auto reader = vectordb::cli::read_points(input, "points", format, 1);
    for (int i = 0; i < 1000; ++i) {
      const auto point = reader->next();
      if (!point) break;
      check(reader->place().starts_with("points"), "a point from elsewhere");
    }
  } catch (const vectordb::Error&) {
    // Of a file that is none.
  }
}

/// Bodies of requests: each is refused with InvalidArgument, or read.
template <class Read>
void try_to(Read read) {
  try {
    read();
  } catch (const vectordb::InvalidArgument&) {
  }
}

void requests(const std::string& text) {
  const std::optional<json> body = read_json(text);
  if (!body) return;
  try_to([&] { (void)vectordb::upsert_of(*body); });
  try_to([&] { (void)vectordb::vectors_of(*body); });
  try_to([&] { (void)vectordb::selection_of(*body); });
  try_to([&] { (void)vectordb::searches_of(*body); });
  try_to([&] { (void)vectordb::search_of(*body); });
  try_to([&] { (void)vectordb::scroll_of(*body); });
  try_to([&] { (void)vectordb::RetrieveRequest(*body); });
  try_to([&] { (void)vectordb::queries_of(*body); });
  try_to([&] { (void)vectordb::PayloadChange(*body); });
  try_to([&] { (void)vectordb::PayloadRemoval(*body); });
}

/// What a server says to the client: each is read, or refused.
template <class Read>
void try_to_take(Read read) {
  try {
    try_to(read);
  } catch (const json::exception&) {
  }
}

void answers(const std::string& text) {
  const std::optional<json> result = read_json(text);
  if (!result) return;
  try_to_take([&] { (void)vectordb::wire::matches(*result); });
  try_to_take([&] { (void)vectordb::wire::record(*result); });
  try_to_take([&] { (void)vectordb::wire::records(*result); });
  try_to_take([&] { (void)vectordb::wire::page(*result); });
  try_to_take([&] { (void)vectordb::wire::names(*result); });
}

/// A filter on a payload, both from the text.
void filters(Choices& choices) {
  const std::string payload_text = choices.text(choices.byte());
  const std::optional<json> payload = read_json(payload_text);
  const std::optional<json> source = read_json(choices.rest());
  if (!payload || !source) return;
  try_to([&] {
    const auto filter = vectordb::Filter::from_json(*source);
    const auto again = vectordb::Filter::from_json(filter.to_json());
    const vectordb::PointId id(std::uint64_t{1});
    check(filter.empty() || filter.matches(id, *payload) == again.matches(id, *payload),
          "a filter that is written is another");
  });
}

void paths(Choices& choices) {
  const std::string path_text = choices.text(choices.byte() % 32);
  const std::optional<json> payload = read_json(choices.rest());
  if (!payload || !payload->is_object()) return;
  try_to([&] {
    const vectordb::PayloadPath path(path_text);
    path.any_of(*payload, [](const json&) { return false; });
    vectordb::PayloadParts parts;
    parts.add(path);
    (void)parts.only(*payload);
    json rest = *payload;
    path.erase(rest);
    auto is_one = [](const auto& step) { return step.index.has_value(); };
    check(std::ranges::any_of(path.steps(), is_one) || rest == parts.without(*payload),
          "a payload without a part has other parts than one of which it was removed");
    if (path.targets(rest) < 100) path.merge(rest, *payload);
  });
}

/// Writes of a log: each is refused, or is the same once it is written.
void log_of_writes(std::string_view bytes) {
  while (!bytes.empty()) {
    vectordb::Operation operation;
    try {
      operation = vectordb::decode(bytes);
    } catch (const vectordb::Error&) {
      return;
    }
    std::string once, twice;
    vectordb::encode(operation, once);
    std::string_view rest = once;
    vectordb::encode(vectordb::decode(rest), twice);
    check(rest.empty() && once == twice, "a write of a log that is written is another");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  switch (choices.below(9)) {
    case 0:
      robots(choices);
      break;
    case 1:
      html(choices.rest());
      break;
    case 2:
      json_text(choices.rest());
      break;
    case 3:
      points(choices);
      break;
    case 4:
      requests(choices.rest());
      break;
    case 5:
      filters(choices);
      break;
    case 7:
      log_of_writes(choices.rest());
      break;
    case 8:
      answers(choices.rest());
      break;
    default:
      paths(choices);
  }
  return 0;
}
