// SPDX-License-Identifier: BSL-1.0
// Which route a path has, beside a plain model of what the documentation says.
#include "asyncio/exceptions.hpp"
#include "asyncio/http/percent.hpp"
#include "http/router.hpp"
#include "routes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

using namespace asyncio;

namespace {

constexpr std::array<std::string_view, 15> kWords{
    "a", "b", "1", "-12", "", ".", "..", "%2F", "%2f..", "%41", "A", "a%2Fb", "%31", "%", "1x"};

/// In the order in which they are preferred.
enum class Kind { word, number, text, rest };

class Segment {
 public:
  Kind kind;
  std::string word;  // decoded; of a name nothing

  auto operator<=>(const Segment&) const = default;
};

class Pattern {
 public:
  std::string text;
  std::vector<Segment> segments;
};

using Parts = std::vector<std::string>;

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> words(1);
  for (char c : path.substr(1)) {
    if (c == '/')
      words.emplace_back();
    else
      words.back() += c;
  }
  return words;
}

std::string some_word(Choices& choices) {
  if (choices.byte() % 8 != 7) return std::string(some_of(choices, kWords));
  std::string word = choices.text(choices.byte() % 4u);
  std::erase_if(word, [](char c) { return c == '/' || c == '{' || c == '}'; });
  return word;
}

Pattern some_pattern(Choices& choices) {
  constexpr std::array<std::string_view, 5> kTypes{"", ":str", ":int", "...", ":path"};
  constexpr std::array<Kind, 5> kKinds{Kind::text, Kind::text, Kind::number, Kind::rest,
                                       Kind::rest};
  Pattern pattern;
  for (int left = 1 + choices.below(4); left > 0; --left) {
    const auto choice = static_cast<std::size_t>(choices.below(10));
    if (choice < kTypes.size()) {
      const std::string name = "n" + std::to_string(pattern.segments.size());
      pattern.text += "/{" + name + std::string(kTypes[choice]) + "}";
      pattern.segments.push_back({kKinds[choice], {}});
    } else {
      const std::string word = some_word(choices);
      pattern.text += "/" + word;
      pattern.segments.push_back({Kind::word, http::unquote(word)});
    }
  }
  return pattern;
}

bool is_number(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

bool fits(const Segment& segment, const std::string& word) {
  if (segment.kind == Kind::word) return http::unquote(word) == segment.word;
  return segment.kind == Kind::number ? is_number(word) : !word.empty();
}

/// The parts of a path that fits; nothing if it does not.
std::optional<Parts> match(const Pattern& pattern, const std::string& path) {
  const std::vector<std::string> words = split(path);
  Parts parts;
  std::size_t begin = 1;  // of the word in the path
  for (std::size_t i = 0; i < pattern.segments.size(); ++i) {
    const Segment& segment = pattern.segments[i];
    if (i == words.size()) return std::nullopt;
    if (segment.kind == Kind::rest) {
      parts.push_back(http::unquote(path.substr(begin)));
      return parts;
    }
    if (!fits(segment, words[i])) return std::nullopt;
    if (segment.kind != Kind::word) parts.push_back(http::unquote(words[i]));
    begin += words[i].size() + 1;
  }
  if (words.size() > pattern.segments.size()) return std::nullopt;
  return parts;
}

/// The path with these parts. Slashes of a part that is one segment are encoded.
std::string joined(const Pattern& pattern, const Parts& parts) {
  std::string path;
  auto part = parts.begin();
  for (const Segment& segment : pattern.segments) {
    const std::string& word = segment.kind == Kind::word ? segment.word : *part++;
    path += "/" + http::quote(word, segment.kind == Kind::rest ? "/" : "");
  }
  return path;
}

bool may_be_added(const std::vector<Pattern>& there, const Pattern& pattern) {
  for (std::size_t i = 0; i + 1 < pattern.segments.size(); ++i)
    if (pattern.segments[i].kind == Kind::rest) return false;
  return std::ranges::none_of(
      there, [&](const Pattern& other) { return other.segments == pattern.segments; });
}

bool is_added(web::detail::Router& router, const std::string& pattern) {
  try {
    router.add("GET", pattern, {web::Handler(), std::nullopt});
    return true;
  } catch (const ValueError&) {
    return false;
  }
}

/// The parts with which a path is made again, as if there was no other route, are the same.
void check_made_again(const Pattern& pattern, const Parts& parts) {
  web::detail::Router router;
  check(is_added(router, pattern.text), "a route that is refused alone");
  Parts again;
  check(router.find(joined(pattern, parts), again) && again == parts,
        "a path that is made of its parts has others");
}

void look_up(const web::detail::Router& router, const std::vector<Pattern>& patterns,
             const std::string& path) {
  const Pattern* best = nullptr;
  for (const Pattern& pattern : patterns)
    if (match(pattern, path) && (!best || pattern.segments < best->segments)) best = &pattern;
  Parts parts;
  const web::detail::Route* found = router.find(path, parts);
  check(!found == !best, "a path without its route, or with one that does not fit");
  if (!found) return check(parts.empty(), "parts without a route");
  check(found->pattern == best->text, "another route than the one that fits best");
  check(parts == *match(*best, path), "parts that are not those of the path");
  check_made_again(*best, parts);
}

/// A path that has a route, often, or any.
std::string some_path(Choices& choices, const std::vector<Pattern>& patterns) {
  if (choices.one_in(8)) return "/" + choices.text(choices.byte() % 16u);
  std::string path;
  if (patterns.empty() || choices.one_in(2)) {
    for (int left = 1 + choices.below(5); left > 0; --left) path += "/" + some_word(choices);
    return path;
  }
  for (const Segment& segment : patterns[choices.byte() % patterns.size()].segments)
    path += "/" + (segment.kind == Kind::word ? http::quote(segment.word, "") : some_word(choices));
  return path;
}

}  // namespace

void find_routes(Choices& choices) {
  web::detail::Router router;
  std::vector<Pattern> patterns;
  for (int left = choices.below(8); left > 0; --left) {
    const Pattern pattern = some_pattern(choices);
    const bool expected = may_be_added(patterns, pattern);
    check(is_added(router, pattern.text) == expected, "a route that is refused, or taken, wrongly");
    if (expected) patterns.push_back(pattern);
  }
  while (choices.any()) look_up(router, patterns, some_path(choices, patterns));
}

/// What is no pattern is refused, and one without names is the path that it answers.
void add_any_pattern(const std::string& text) {
  web::detail::Router router;
  if (!is_added(router, text)) return;
  check(text.starts_with('/'), "a pattern that is no path");
  if (text.find('{') != std::string::npos) return;
  Parts parts;
  check(router.find(text, parts) && parts.empty(), "a path without its route");
}

}  // namespace fuzz
