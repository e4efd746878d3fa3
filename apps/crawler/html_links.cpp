// SPDX-License-Identifier: BSL-1.0
#include "crawler/html_links.hpp"

#include "crawler/html_tags.hpp"

#include <optional>
#include <set>

namespace crawler {

using asyncio::http::InvalidURL;
using asyncio::http::URL;

namespace {

std::optional<URL> resolve(const URL& base, std::string_view reference) {
  try {
    URL url = base.join(URL::lenient(reference)).without_fragment();
    if (url.scheme() == "http" || url.scheme() == "https") return url;
  } catch (const InvalidURL&) {
    // People write all sorts of things there.
  }
  return std::nullopt;
}

}  // namespace

HtmlSummary summarize_html(std::string_view html, const URL& page) {
  HtmlSummary summary;
  std::set<URL> known;
  std::optional<URL> base;
  HtmlTags tags(html);
  while (auto tag = tags.next()) {
    if (tag->name == "base" && !base && !tag->get("href").empty()) {
      base = resolve(page, tag->get("href"));
    } else if (tag->name == "title" && summary.title.empty()) {
      summary.title = tags.text_of_element();
    } else if (tag->name == "meta" && tag->get("name") == "robots" &&
               tag->get("content").find("nofollow") != std::string_view::npos) {
      summary.links.clear();
      return summary;
    } else if (tag->name == "a" || tag->name == "area") {
      if (tag->get("href").empty()) continue;
      if (tag->get("rel").find("nofollow") != std::string_view::npos) continue;
      std::optional<URL> link = resolve(base.value_or(page), tag->get("href"));
      if (link && known.insert(*link).second) summary.links.push_back(*link);
    }
  }
  return summary;
}

}  // namespace crawler
