// SPDX-License-Identifier: BSL-1.0
#include "http/compression.hpp"

#include "asyncio/http/client_errors.hpp"
#include "http/characters.hpp"

namespace asyncio::http::detail {

std::optional<ContentCoding> find_coding(std::string_view name) noexcept {
  if (equal_without_case(name, "gzip") || equal_without_case(name, "x-gzip"))
    return ContentCoding::Gzip;
  if (equal_without_case(name, "deflate")) return ContentCoding::Deflate;
#ifdef ASYNCIO_HAS_BROTLI
  if (equal_without_case(name, "br")) return ContentCoding::Brotli;
#endif
#ifdef ASYNCIO_HAS_ZSTD
  if (equal_without_case(name, "zstd")) return ContentCoding::Zstd;
#endif
  return std::nullopt;
}

std::string_view name_of(ContentCoding coding) noexcept {
  switch (coding) {
    case ContentCoding::Gzip:
      return "gzip";
    case ContentCoding::Deflate:
      return "deflate";
    case ContentCoding::Brotli:
      return "br";
    case ContentCoding::Zstd:
      return "zstd";
  }
  return "";
}

std::string_view known_codings() noexcept {
  return "gzip, deflate"
#ifdef ASYNCIO_HAS_BROTLI
         ", br"
#endif
#ifdef ASYNCIO_HAS_ZSTD
         ", zstd"
#endif
      ;
}

std::unique_ptr<Decoder> make_decoder(ContentCoding coding) {
  switch (coding) {
    case ContentCoding::Gzip:
      return make_gzip_decoder();
    case ContentCoding::Deflate:
      return make_deflate_decoder();
#ifdef ASYNCIO_HAS_BROTLI
    case ContentCoding::Brotli:
      return make_brotli_decoder();
#endif
#ifdef ASYNCIO_HAS_ZSTD
    case ContentCoding::Zstd:
      return make_zstd_decoder();
#endif
    default:
      break;
  }
  throw ValueError(std::string(name_of(coding)) + ": built without it");
}

std::unique_ptr<Encoder> make_encoder(ContentCoding coding, std::optional<int> level) {
  switch (coding) {
    case ContentCoding::Gzip:
    case ContentCoding::Deflate:
      return make_zlib_encoder(coding, level);
#ifdef ASYNCIO_HAS_BROTLI
    case ContentCoding::Brotli:
      return make_brotli_encoder(level);
#endif
#ifdef ASYNCIO_HAS_ZSTD
    case ContentCoding::Zstd:
      return make_zstd_encoder(level);
#endif
    default:
      break;
  }
  throw ValueError(std::string(name_of(coding)) + ": built without it");
}

Decoded Decompressor::decode(std::string_view& input, std::string& output, std::size_t at_most) {
  if (ended_) {
    input = {};
    return Decoded::NeedsInput;
  }
  std::size_t before = output.size(), offered = input.size();
  Decoded state = decoder_->decode(input, output, at_most);
  taken_ += offered - input.size();
  given_ += output.size() - before;
  check_limits();
  if (state != Decoded::Ended) return state;
  ended_ = true;
  input = {};
  return Decoded::NeedsInput;
}

void Decompressor::check_limits() const {
  constexpr std::uint64_t kHarmless = 1 << 20;
  std::string what(name_of(coding_));
  if (given_ > limits_.max_output)
    throw ContentEncodingError(what + " body of more than " + std::to_string(limits_.max_output) +
                               " bytes");
  if (given_ > kHarmless && given_ / limits_.max_ratio > taken_)
    throw ContentEncodingError(what + " body of " + std::to_string(taken_) +
                               " bytes grows more than " + std::to_string(limits_.max_ratio) +
                               "-fold");
}

void Decompressor::finish() const {
  // Nothing at all is what a server sends that has nothing to say.
  if (!decoder_->is_complete() && taken_ > 0)
    throw ContentEncodingError(std::string(name_of(coding_)) + " body ends after " +
                               std::to_string(taken_) + " bytes, before its own end");
}

}  // namespace asyncio::http::detail
