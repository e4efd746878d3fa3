// SPDX-License-Identifier: BSL-1.0
#include "http/content_decoder.hpp"

#include "http/characters.hpp"

namespace asyncio::http::detail {

std::optional<std::vector<ContentCoding>> parse_codings(std::string_view list) {
  std::vector<ContentCoding> found;
  while (!list.empty()) {
    std::string_view name = take_item(list);
    if (name.empty() || equal_without_case(name, "identity")) continue;
    std::optional<ContentCoding> coding = find_coding(name);
    if (!coding) return std::nullopt;
    found.push_back(*coding);
  }
  return found;
}

ContentDecoder::ContentDecoder(const std::vector<ContentCoding>& codings,
                               DecompressionLimits limits) {
  // What was applied last comes off first.
  for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding)
    stages_.emplace_back(*coding, limits);
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
