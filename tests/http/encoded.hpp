// SPDX-License-Identifier: BSL-1.0
/// Bodies with a content coding.
#pragma once

#include "connected.hpp"
#include "http/compression.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace test {

inline std::string encoded(asyncio::http::detail::ContentCoding coding, std::string_view text,
                           std::optional<int> level = std::nullopt) {
  using asyncio::http::detail::Flush;
  std::string bytes;
  asyncio::http::detail::make_encoder(coding, level)->encode(text, Flush::End, bytes);
  return bytes;
}

/// What grows by less than the 2000-fold that is suspicious by itself.
inline std::string almost_nothing_but_zeros(std::size_t size) {
  std::string text(size, '\0');
  const std::string noise = pattern(text.size() / 4000 + 1);
  for (std::size_t i = 0; i < text.size(); i += 4000) text[i] = noise[i / 4000];
  return text;
}

}  // namespace test
