// SPDX-License-Identifier: BSL-1.0
/// The pieces in which bytes come.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fuzz {

using Sizes = std::vector<std::size_t>;

/// Of these sizes, in turn; one if there are none.
inline std::vector<std::string> cut(std::string_view bytes, const Sizes& sizes) {
  std::vector<std::string> pieces;
  for (std::size_t i = 0; !bytes.empty(); ++i) {
    pieces.emplace_back(bytes.substr(0, sizes.empty() ? bytes.size() : sizes[i % sizes.size()]));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace fuzz
