// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_errors.hpp"
#include "http/compression.hpp"

#include <algorithm>
#include <new>
#include <zstd.h>
#include <zstd_errors.h>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kPiece = std::size_t{16} << 10;
/// RFC 8878 lets a decoder refuse windows above 8 MiB.
constexpr int kWindowLog = 23;

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() {
    if (!stream_) throw std::bad_alloc();
    ::ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kWindowLog);
  }

  /// One frame or several, to the end of the input.
  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) override {
    std::size_t end = output.size() + at_most;
    while (output.size() < end) {
      if (is_complete() && input.empty()) return Decoded::NeedsInput;
      std::size_t before = output.size(), room = std::min(end - before, kPiece);
      output.resize(before + room);
      ZSTD_inBuffer in{input.data(), input.size(), 0};
      ZSTD_outBuffer out{output.data() + before, room, 0};
      std::size_t status = ::ZSTD_decompressStream(stream_.get(), &out, &in);
      output.resize(before + out.pos);
      input.remove_prefix(in.pos);
      if (::ZSTD_isError(status)) refuse(status);
      between_frames_ = status == 0;
      if (!between_frames_ && out.pos < room && input.empty()) return Decoded::NeedsInput;
    }
    return Decoded::HasOutput;
  }

  bool is_complete() const noexcept override { return between_frames_; }

 private:
  [[noreturn]] static void refuse(std::size_t status) {
    if (::ZSTD_getErrorCode(status) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    throw ContentEncodingError(std::string("no zstd stream: ") + ::ZSTD_getErrorName(status));
  }

  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ::ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_{::ZSTD_createDStream()};
  bool between_frames_ = true;
};

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(int level) {
    if (!stream_) throw std::bad_alloc();
    ::ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_compressionLevel, level);
    ::ZSTD_CCtx_setParameter(stream_.get(), ZSTD_c_windowLog, kWindowLog);
  }

  void encode(std::string_view input, Flush flush, std::string& output) override {
    ZSTD_EndDirective how = flush == Flush::None   ? ZSTD_e_continue
                            : flush == Flush::Sync ? ZSTD_e_flush
                                                   : ZSTD_e_end;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    std::size_t left = 0;
    do {
      std::size_t before = output.size();
      output.resize(before + kPiece);
      ZSTD_outBuffer out{output.data() + before, kPiece, 0};
      left = ::ZSTD_compressStream2(stream_.get(), &out, &in, how);
      output.resize(before + out.pos);
      if (::ZSTD_isError(left)) throw std::bad_alloc();
    } while (in.pos < in.size || (how != ZSTD_e_continue && left > 0));
  }

 private:
  struct Free {
    void operator()(ZSTD_CStream* stream) const noexcept { ::ZSTD_freeCStream(stream); }
  };
  std::unique_ptr<ZSTD_CStream, Free> stream_{::ZSTD_createCStream()};
};

}  // namespace

std::unique_ptr<Decoder> make_zstd_decoder() { return std::make_unique<ZstdDecoder>(); }

std::unique_ptr<Encoder> make_zstd_encoder(std::optional<int> level) {
  return std::make_unique<ZstdEncoder>(level.value_or(ZSTD_CLEVEL_DEFAULT));
}

}  // namespace asyncio::http::detail
