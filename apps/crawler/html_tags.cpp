// SPDX-License-Identifier: BSL-1.0
#include "crawler/html_tags.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace crawler {

namespace {

constexpr std::string_view kSpace = " \t\r\n\f";

bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char small(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string small_letters(std::string_view text) {
  std::string small_text(text);
  std::ranges::transform(small_text, small_text.begin(), small);
  return small_text;
}

bool starts_without_case(std::string_view text, std::string_view prefix) noexcept {
  if (text.size() < prefix.size()) return false;
  return std::ranges::equal(text.substr(0, prefix.size()), prefix, {}, small, small);
}

std::string_view cut(std::string_view& rest, std::size_t size) noexcept {
  std::string_view piece = rest.substr(0, size);
  rest.remove_prefix(piece.size());
  return piece;
}

void append_utf8(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) code = 0xFFFD;
  auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3F))); };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (code >> 6)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (code >> 12)));
    tail(6), tail(0);
  } else {
    out.push_back(static_cast<char>(0xF0 | (code >> 18)));
    tail(12), tail(6), tail(0);
  }
}

/// A reference between '&' and ';'. Names other than those that URLs and titles need stay.
bool append_reference(std::string& out, std::string_view name) {
  if (name.starts_with('#')) {
    name.remove_prefix(1);
    int base = name.starts_with('x') || name.starts_with('X') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t code = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), code, base);
    if (name.empty() || error != std::errc() || end != name.data() + name.size()) return false;
    append_utf8(out, code);
    return true;
  }
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> names{
      {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}, {"nbsp", " "}}};
  for (auto [known, text] : names)
    if (name == known) return out.append(text), true;
  return false;
}

std::string without_references(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    out.append(cut(text, text.find('&')));
    if (text.empty()) break;
    std::size_t end = text.substr(0, 12).find(';');
    if (end != std::string_view::npos && append_reference(out, text.substr(1, end - 1)))
      text.remove_prefix(end + 1);
    else
      out.append(cut(text, 1));
  }
  return out;
}

bool holds_text_only(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 7> names{"script", "style",  "title",   "textarea",
                                                         "xmp",    "iframe", "noframes"};
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string_view HtmlTag::get(std::string_view wanted) const noexcept {
  for (const auto& [attribute, value] : attributes)
    if (attribute == wanted) return value;
  return {};
}

/// Moves to the name of the next tag, or to the '/' before it.
bool HtmlTags::find_tag() {
  while (true) {
    rest_.remove_prefix(std::min(rest_.find('<'), rest_.size()));
    if (rest_.size() < 2) return false;
    if (rest_.starts_with("<!--")) {
      std::size_t end = rest_.find("-->", 4);
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 3);
      continue;
    }
    rest_.remove_prefix(1);
    bool closes = rest_.front() == '/' && rest_.size() > 1;
    if (is_letter(rest_[closes ? 1 : 0])) return true;
  }
}

std::optional<HtmlTag> HtmlTags::next() {
  if (!find_tag()) return std::nullopt;
  HtmlTag tag = read_tag();
  text_ = holds_text_only(tag.name) ? element_text(tag.name) : std::string_view();
  rest_.remove_prefix(text_.size());
  return tag;
}

HtmlTag HtmlTags::read_tag() {
  HtmlTag tag;
  tag.name = small_letters(cut(rest_, rest_.find_first_of(" \t\r\n\f>", 0)));
  if (!tag.name.starts_with('/')) {
    std::size_t slash = tag.name.find('/');  // <br/>
    if (slash != std::string::npos) tag.name.resize(slash);
  }
  while (true) {
    std::size_t begin = rest_.find_first_not_of(" \t\r\n\f/");
    if (begin == std::string_view::npos) return rest_ = {}, tag;
    rest_.remove_prefix(begin);
    if (rest_.front() == '>') return cut(rest_, 1), tag;
    read_attribute(tag);
  }
}

void HtmlTags::read_attribute(HtmlTag& tag) {
  std::string_view name = cut(rest_, rest_.find_first_of(" \t\r\n\f/>=", 1));
  std::size_t equals = std::min(rest_.find_first_not_of(kSpace), rest_.size());
  std::string value;
  if (equals < rest_.size() && rest_[equals] == '=') {
    rest_.remove_prefix(equals + 1);
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpace), rest_.size()));
    char quote = rest_.empty() ? '\0' : rest_.front();
    if (quote == '"' || quote == '\'') {
      cut(rest_, 1);
      value = without_references(cut(rest_, rest_.find(quote)));
      cut(rest_, 1);
    } else {
      value = without_references(cut(rest_, rest_.find_first_of(" \t\r\n\f>")));
    }
  }
  tag.attributes.emplace_back(small_letters(name), std::move(value));
}

/// What comes before the end tag of an element in which there are no others.
std::string_view HtmlTags::element_text(std::string_view name) const noexcept {
  for (std::size_t at = rest_.find("</"); at != std::string_view::npos;
       at = rest_.find("</", at + 2))
    if (starts_without_case(rest_.substr(at + 2), name)) return rest_.substr(0, at);
  return rest_;
}

std::string HtmlTags::text_of_element() const {
  std::string text = without_references(text_.substr(0, 1000));
  std::string words;
  for (char c : text) {
    bool space = kSpace.find(c) != std::string_view::npos;
    if (!space) words.push_back(c);
    if (space && !words.empty() && words.back() != ' ') words.push_back(' ');
  }
  if (words.ends_with(' ')) words.pop_back();
  return words;
}

}  // namespace crawler
