// SPDX-License-Identifier: BSL-1.0
#include "http/random.hpp"

#include "asyncio/exceptions.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <sys/random.h>

namespace asyncio::http::detail {

void fill_random(std::span<unsigned char> bytes) {
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw OSError(errno, "getrandom");
}

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
