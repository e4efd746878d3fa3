// SPDX-License-Identifier: BSL-1.0
#include "http/body_decoding.hpp"

#include "asyncio/web/exceptions.hpp"
#include "http/characters.hpp"

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kAtOnce = std::size_t{64} << 10;
constexpr std::size_t kMaxCodings = 2;

}  // namespace

std::unique_ptr<BodyDecoding> BodyDecoding::make(std::string_view codings) {
  auto decoding = std::make_unique<BodyDecoding>();
  while (!codings.empty()) {
    std::string_view name = trimmed(take_until(codings, ','));
    if (name.empty() || equal_without_case(name, "identity")) continue;
    std::optional<ContentCoding> known = find_coding(name);
    if (!known || decoding->stages_.size() == kMaxCodings) {
      web::HTTPUnsupportedMediaType refusal;
      refusal.headers().set("Accept-Encoding", known_codings());
      throw refusal;
    }
    decoding->stages_.insert(decoding->stages_.begin(),
                             std::make_unique<Decompressor>(*known, DecompressionLimits()));
  }
  return decoding->stages_.empty() ? nullptr : std::move(decoding);
}

std::string_view BodyDecoding::decode(std::string_view& input) {
  output_.clear();
  if (stages_.size() == 1) {
    stages_[0]->decode(input, output_, kAtOnce);
    return output_;
  }
  for (;;) {
    std::string_view inner = std::string_view(between_).substr(between_used_);
    std::size_t before = inner.size();
    stages_[1]->decode(inner, output_, kAtOnce);
    between_used_ += before - inner.size();
    if (!output_.empty()) return output_;
    if (!inner.empty()) continue;
    between_.clear();
    between_used_ = 0;
    stages_[0]->decode(input, between_, kAtOnce);
    if (between_.empty() && input.empty()) return {};
  }
}

void BodyDecoding::finish() const {
  for (const auto& stage : stages_) stage->finish();
}

}  // namespace asyncio::http::detail
