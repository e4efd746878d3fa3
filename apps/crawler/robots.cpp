// SPDX-License-Identifier: BSL-1.0
#include "crawler/robots.hpp"

#include <asyncio/http/percent.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace crawler {

namespace {

std::string small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return std::tolower(c); });
  return small;
}

std::string_view trimmed(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// The part of "Name/1.0 (words)" that robots.txt names.
std::string product(std::string_view robot) {
  auto is_part = [](unsigned char c) { return std::isalpha(c) != 0 || c == '-' || c == '_'; };
  auto end = std::ranges::find_if_not(robot, is_part);
  return small_letters(robot.substr(0, static_cast<std::size_t>(end - robot.begin())));
}

/// A path with its query, or a rule, as they are compared (RFC 9309, 2.2.2): spelled in one way,
/// whatever of them was percent-encoded. In a query that is less: there ':', '/', '?' and '@' mean
/// nothing. The bytes in `special` are not those of a path, and stay.
std::string normalized(std::string_view text, std::string_view special = {}) {
  const std::string plain = "!&'()+,;=:@/?" + std::string(special);
  std::string_view decoded;  // beside what need not be encoded anywhere
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string_view piece = text.substr(at, 3);
    std::string byte = asyncio::http::unquote(piece);
    if (piece.size() == 3 && byte.size() == 1) {
      result += asyncio::http::quote(byte, decoded);
      at += 2;
      continue;
    }
    if (piece[0] == '?') decoded = ":/?@";
    result += asyncio::http::quote(piece.substr(0, 1), plain);
  }
  return result;
}

/// Of a rule: '*' is special, and '$' at its end.
std::string normalized_rule(std::string_view value) {
  if (!value.ends_with('$')) return normalized(value, "*");
  return normalized(value.substr(0, value.size() - 1), "*") + "$";
}

/// Whether a path begins as a pattern says, in which '*' is anything and a '$' at the end the end.
bool fits(std::string_view pattern, std::string_view path) {
  bool anchored = pattern.ends_with('$');
  if (anchored) pattern.remove_suffix(1);
  std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return anchored ? path == pattern : path.starts_with(pattern);
  if (!path.starts_with(pattern.substr(0, star))) return false;
  path.remove_prefix(star);
  while (star != std::string_view::npos) {
    pattern.remove_prefix(star + 1);
    star = pattern.find('*');
    std::string_view piece = pattern.substr(0, star);
    bool last = star == std::string_view::npos;
    if (last && anchored) return path.ends_with(piece);
    std::size_t found = path.find(piece);
    if (found == std::string_view::npos) return false;
    path.remove_prefix(found + piece.size());
  }
  return true;
}

struct Line {
  std::string name;
  std::string_view value;
};

/// "Name: value # words" as its parts; no name for anything else.
Line line_of(std::string_view text) {
  text = text.substr(0, text.find('#'));
  std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return {};
  return {small_letters(trimmed(text.substr(0, colon))), trimmed(text.substr(colon + 1))};
}

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> lines;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    Line line = line_of(text.substr(0, end));
    if (!line.name.empty()) lines.push_back(std::move(line));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool names(const std::vector<Line>& lines, const std::string& agent) {
  return std::ranges::any_of(lines, [&](const Line& line) {
    return line.name == "user-agent" && small_letters(line.value) == agent;
  });
}

}  // namespace

Robots::Robots(std::string_view text, std::string_view robot) {
  std::vector<Line> lines = lines_of(text);
  std::string agent = product(robot);
  if (agent.empty() || !names(lines, agent)) agent = "*";
  bool ours = false, in_head = false;  // of a group
  for (const Line& line : lines) {
    if (line.name == "user-agent") {
      if (!in_head) ours = false;
      in_head = true;
      ours = ours || small_letters(line.value) == agent;
    } else {
      if (ours) add_line(line.name, line.value);
      if (line.name == "allow" || line.name == "disallow" || line.name == "crawl-delay")
        in_head = false;
    }
  }
}

void Robots::add_line(std::string_view name, std::string_view value) {
  if (name == "crawl-delay") {
    double seconds = std::atof(std::string(value).c_str());
    if (seconds > 0 && seconds <= 3600)
      crawl_delay_ = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  }
  if (name != "allow" && name != "disallow") return;
  if (value.empty()) return;  // "Disallow:" forbids nothing
  Rule rule{normalized_rule(value), name == "allow"};
  rules_.push_back(std::move(rule));
}

Robots Robots::nothing_allowed() {
  Robots robots;
  robots.add_line("disallow", "/");
  return robots;
}

bool Robots::allows(std::string_view path) const {
  if (path == "/robots.txt") return true;
  const std::string asked = normalized(path);
  const Rule* best = nullptr;
  for (const Rule& rule : rules_) {
    if (!fits(rule.pattern, asked)) continue;
    bool longer = best == nullptr || rule.pattern.size() > best->pattern.size();
    bool as_long = best != nullptr && rule.pattern.size() == best->pattern.size();
    if (longer || (as_long && rule.allow)) best = &rule;
  }
  return best == nullptr || best->allow;
}

}  // namespace crawler
