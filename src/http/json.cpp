// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/json.hpp"

namespace asyncio::http {

void check_json_depth(std::string_view text, std::size_t limit) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    char byte = text[at];
    if (in_string) {
      if (byte == '\\') ++at;
      if (byte == '"') in_string = false;
      continue;
    }
    if (byte == '"') in_string = true;
    if (byte == '[' || byte == '{') ++depth;
    if ((byte == ']' || byte == '}') && depth > 0) --depth;
    if (depth > limit)
      throw ValueError("JSON nested deeper than " + std::to_string(limit) + " levels");
  }
}

}  // namespace asyncio::http
