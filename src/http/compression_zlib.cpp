// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_errors.hpp"
#include "http/compression.hpp"
#include "http/zlib_stream.hpp"

#include <algorithm>
#include <new>

namespace asyncio::http::detail {

namespace {

// zlib's window bits say the format as well.
constexpr int kZlib = 15;
constexpr int kRaw = -15;
constexpr int kGzip = 15 + 16;

constexpr std::size_t kPiece = std::size_t{16} << 10;

class ZlibDecoder : public Decoder {
 public:
  explicit ZlibDecoder(int window_bits) {
    if (::inflateInit2(&stream_, window_bits) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibDecoder() override { ::inflateEnd(&stream_); }

  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) override {
    std::size_t end = output.size() + at_most;
    while (output.size() < end) {
      offer(stream_, input);
      uInt offered = stream_.avail_in;
      int status = grow(stream_, output, std::min(end - output.size(), kPiece),
                        [](z_stream& stream) { return ::inflate(&stream, Z_NO_FLUSH); });
      input.remove_prefix(offered - stream_.avail_in);
      if (status == Z_STREAM_END) {
        complete_ = true;
        return Decoded::Ended;
      }
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      // Z_BUF_ERROR: nothing more comes out of what there is.
      if (status != Z_OK && status != Z_BUF_ERROR)
        throw ContentEncodingError(std::string("no deflate stream: ") +
                                   (stream_.msg ? stream_.msg : "it needs a dictionary"));
      if (stream_.avail_out > 0 && input.empty()) return Decoded::NeedsInput;
    }
    return Decoded::HasOutput;
  }

  bool is_complete() const noexcept override { return complete_; }

 protected:
  void start_again() {
    ::inflateReset(&stream_);
    complete_ = false;
  }

 private:
  z_stream stream_{};
  bool complete_ = false;
};

/// A gzip file is one member or several; what follows them is not of it.
class GzipDecoder final : public ZlibDecoder {
 public:
  GzipDecoder() : ZlibDecoder(kGzip) {}

  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) override {
    std::size_t end = output.size() + at_most;
    for (;;) {
      if (is_complete()) {
        if (input.empty()) return Decoded::NeedsInput;
        if (static_cast<unsigned char>(input.front()) != 0x1F) return Decoded::Ended;
        start_again();
      }
      Decoded state = ZlibDecoder::decode(input, output, end - output.size());
      if (state != Decoded::Ended) return state;
    }
  }
};

/// "deflate" is zlib's format, but some send the bare stream.
class DeflateDecoder final : public Decoder {
 public:
  Decoded decode(std::string_view& input, std::string& output, std::size_t at_most) override {
    if (!decoder_) {
      // The low bits of zlib's first byte are 8; a bare stream that begins so would hold a stored
      // block whose padding is not zero.
      if (input.empty()) return Decoded::NeedsInput;
      bool is_zlib = (static_cast<unsigned char>(input.front()) & 0x0F) == 8;
      decoder_ = std::make_unique<ZlibDecoder>(is_zlib ? kZlib : kRaw);
    }
    return decoder_->decode(input, output, at_most);
  }

  bool is_complete() const noexcept override { return decoder_ && decoder_->is_complete(); }

 private:
  std::unique_ptr<ZlibDecoder> decoder_;
};

class ZlibEncoder final : public Encoder {
 public:
  ZlibEncoder(int window_bits, int level) {
    constexpr int kMemory = 8;
    if (::deflateInit2(&stream_, level, Z_DEFLATED, window_bits, kMemory, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw std::bad_alloc();
  }
  ~ZlibEncoder() override { ::deflateEnd(&stream_); }

  void encode(std::string_view input, Flush flush, std::string& output) override {
    do {
      offer(stream_, input);
      uInt offered = stream_.avail_in;
      bool is_last = offered == input.size();
      int how = !is_last || flush == Flush::None ? Z_NO_FLUSH
                : flush == Flush::Sync           ? Z_SYNC_FLUSH
                                                 : Z_FINISH;
      do {
        grow(stream_, output, kPiece, [how](z_stream& stream) { return ::deflate(&stream, how); });
      } while (stream_.avail_out == 0);
      input.remove_prefix(offered - stream_.avail_in);
    } while (!input.empty());
  }

 private:
  z_stream stream_{};
};

}  // namespace

std::unique_ptr<Decoder> make_gzip_decoder() { return std::make_unique<GzipDecoder>(); }
std::unique_ptr<Decoder> make_deflate_decoder() { return std::make_unique<DeflateDecoder>(); }

std::unique_ptr<Encoder> make_zlib_encoder(ContentCoding coding, std::optional<int> level) {
  return std::make_unique<ZlibEncoder>(coding == ContentCoding::Gzip ? kGzip : kZlib,
                                       level.value_or(Z_DEFAULT_COMPRESSION));
}

}  // namespace asyncio::http::detail
