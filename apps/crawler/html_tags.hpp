// SPDX-License-Identifier: BSL-1.0
/// The tags of a text in HTML.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace crawler {

/// A start or end tag; names in small letters, values with their character references replaced.
class HtmlTag {
 public:
  HtmlTag() {}

  /// The value of an attribute; empty if it has none.
  std::string_view get(std::string_view name) const noexcept;

  std::string name;  // with '/' in front for an end tag
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// Goes over a text tag by tag. As browsers do it: comments and declarations are passed over, and
/// in script, style, title and the like nothing is a tag but their end.
class HtmlTags {
 public:
  explicit HtmlTags(std::string_view html) noexcept : rest_(html) {}

  std::optional<HtmlTag> next();
  /// What is between the last tag, a `title`, and its end: of the first 1000 bytes.
  std::string text_of_element() const;

 private:
  bool find_tag();
  HtmlTag read_tag();
  void read_attribute(HtmlTag& tag);
  std::string_view element_text(std::string_view name) const noexcept;

  std::string_view rest_;
  std::string_view text_;  // of the last tag's element: what is passed over is searched once
};

}  // namespace crawler
