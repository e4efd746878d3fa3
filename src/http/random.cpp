// SPDX-License-Identifier: BSL-1.0
#include "http/random.hpp"

#include <array>
#include <string_view>

namespace asyncio::http::detail {

std::string random_name() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes;
  fill_random(bytes);
  std::string name;
  for (unsigned char byte : bytes) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  return name;
}

}  // namespace asyncio::http::detail
