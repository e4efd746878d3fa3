// SPDX-License-Identifier: BSL-1.0
/// Content codings, in pieces of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

enum class ContentCoding { Gzip, Deflate, Brotli, Zstd };

/// Nothing for "identity" and what this build does not know.
std::optional<ContentCoding> find_coding(std::string_view name) noexcept;
std::string_view name_of(ContentCoding coding) noexcept;

/// The value of Accept-Encoding: all that this build knows.
std::string_view known_codings() noexcept;

enum class Decoded {
  NeedsInput,  // all of the input is used
  HasOutput,   // as much as was asked for; there may be more
  Ended,       // nothing more can come; what is left of the input is not of the stream
};

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  /// Takes from the front of `input` and appends at most `at_most` bytes to `output`.
  /// Throws: ContentEncodingError for what is no such stream.
  virtual Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) = 0;

  /// Whether the stream may end here.
  virtual bool is_complete() const noexcept = 0;
};

enum class Flush {
  None,  // may keep everything back
  Sync,  // what has come can be read
  End,
};

class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// Appends to `output`.
  virtual void encode(std::string_view input, Flush flush, std::string& output) = 0;
};

/// Throws: std::bad_alloc.
std::unique_ptr<Decoder> make_decoder(ContentCoding coding);

/// The levels are the library's own; nothing is its default.
std::unique_ptr<Encoder> make_encoder(ContentCoding coding,
                                      std::optional<int> level = std::nullopt);

// By library.
std::unique_ptr<Decoder> make_gzip_decoder();
std::unique_ptr<Decoder> make_deflate_decoder();
std::unique_ptr<Encoder> make_zlib_encoder(ContentCoding coding, std::optional<int> level);
std::unique_ptr<Decoder> make_brotli_decoder();
std::unique_ptr<Encoder> make_brotli_encoder(std::optional<int> level);
std::unique_ptr<Decoder> make_zstd_decoder();
std::unique_ptr<Encoder> make_zstd_encoder(std::optional<int> level);

/// Bounds against input that becomes far more than it is.
struct DecompressionLimits {
  std::uint64_t max_output = UINT64_MAX;
  /// Output to input, once there is more than a mebibyte of it.
  std::uint64_t max_ratio = 2000;
};

/// Decodes a body: counts, and insists on its end.
class Decompressor {
 public:
  Decompressor(ContentCoding coding, DecompressionLimits limits)
      : decoder_(make_decoder(coding)), coding_(coding), limits_(limits) {}

  /// As Decoder::decode; what follows the end is dropped.
  /// Throws: ContentEncodingError, also beyond the limits.
  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most);

  /// Throws: ContentEncodingError if the stream is not complete.
  void finish() const;

 private:
  void check_limits() const;

  std::unique_ptr<Decoder> decoder_;
  ContentCoding coding_;
  DecompressionLimits limits_;
  std::uint64_t taken_ = 0;
  std::uint64_t given_ = 0;
  bool ended_ = false;
};

}  // namespace asyncio::http::detail
