// SPDX-License-Identifier: BSL-1.0
#include "crawler/record.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace crawler {

std::string record_of(const Target& target, const Page& page) {
  nlohmann::ordered_json record{{"url", target.url}, {"depth", target.depth}};
  if (page.forbidden) {
    record["excluded"] = "robots.txt";
  } else if (!page.error.empty()) {
    record["error"] = page.error;
  } else {
    record["status"] = page.status;
    record["content_type"] = page.content_type;
    record["bytes"] = page.bytes;
    if (page.is_redirect) record["location"] = page.links.at(0).str();
    if (!page.title.empty()) record["title"] = page.title;
    if (!page.is_redirect) record["links"] = page.links.size();
  }
  if (page.attempts > 1) record["attempts"] = page.attempts;
  if (!page.forbidden) record["ms"] = std::round(page.seconds * 10'000) / 10;
  // Titles are in whatever encoding the page has.
  return record.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace crawler
