// SPDX-License-Identifier: BSL-1.0
/// What a crawler wants of a page of HTML.
#pragma once

#include <asyncio/http/url.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace crawler {

class HtmlSummary {
 public:
  HtmlSummary() {}

  std::string title;
  std::vector<asyncio::http::URL>
      links;  // absolute, of http and https, without fragments, once each
};

/// Where the links of a page lead that has this URL, and its title. Links that say rel="nofollow",
/// and all of a page that says so in a meta element, are left out. What is broken is read as far as
/// it makes sense; nothing is refused.
HtmlSummary summarize_html(std::string_view html, const asyncio::http::URL& page);

}  // namespace crawler
