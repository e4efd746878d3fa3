// SPDX-License-Identifier: BSL-1.0
#include "http/content_decoder.hpp"

#include "asyncio/http/client_errors.hpp"
#include "http/characters.hpp"

#include <algorithm>
#include <optional>

namespace asyncio::http::detail {

ContentDecoder::ContentDecoder(std::string_view codings, DecompressionLimits limits) {
  std::vector<ContentCoding> found;
  while (!codings.empty()) {
    std::string_view name = trimmed(take_until(codings, ','));
    if (name.empty() || equal_without_case(name, "identity")) continue;
    std::optional<ContentCoding> coding = find_coding(name);
    if (!coding) return;
    found.push_back(*coding);
    if (found.size() > kMostCodings)
      throw ContentEncodingError("more than " + std::to_string(kMostCodings) +
                                 " content codings on each other");
  }
  // What was applied last comes off first.
  std::ranges::reverse(found);
  for (ContentCoding coding : found) stages_.emplace_back(coding, limits);
}

void ContentDecoder::decode(std::string_view& input, std::string& output, std::size_t at_most) {
  if (!empty()) decode(stages_.size() - 1, input, output, at_most);
}

void ContentDecoder::decode(std::size_t stage, std::string_view& input, std::string& output,
                            std::size_t at_most) {
  Stage& self = stages_[stage];
  if (stage == 0) {
    self.decompressor.decode(input, output, at_most);
    return;
  }
  const std::size_t before = output.size();
  for (;;) {
    // Also without input: a decoder may keep output back.
    std::string_view left = self.undecoded;
    self.decompressor.decode(left, output, at_most);
    self.undecoded.erase(0, self.undecoded.size() - left.size());
    if (output.size() > before) return;
    const std::size_t had = self.undecoded.size();
    decode(stage - 1, input, self.undecoded, at_most);
    if (self.undecoded.size() == had) return;
  }
}

void ContentDecoder::finish() const {
  for (const Stage& stage : stages_) stage.decompressor.finish();
}

}  // namespace asyncio::http::detail
