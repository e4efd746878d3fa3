// SPDX-License-Identifier: BSL-1.0
#include "http/permessage_deflate.hpp"

#include "http/zlib_stream.hpp"

#include <algorithm>
#include <new>

namespace asyncio::http::detail {

namespace {

/// An empty stored block, with which each message's stream ends and which is not sent.
constexpr std::string_view kTail("\0\0\xFF\xFF", 4);
constexpr std::size_t kPiece = std::size_t{4} << 10;

}  // namespace

class PermessageDeflate::Deflater {
 public:
  explicit Deflater(int window_bits) {
    constexpr int kMemory = 8;
    // zlib cannot do a window of 256 bytes in a bare stream; accept_deflate() refuses it.
    if (::deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits, kMemory,
                       Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { ::deflateEnd(&stream_); }

  void compress(std::string_view message, bool forget, std::string& output) {
    offer(stream_, message);
    do {
      grow(stream_, output, kPiece,
           [](z_stream& stream) { return ::deflate(&stream, Z_SYNC_FLUSH); });
    } while (stream_.avail_out == 0);
    output.resize(output.size() - kTail.size());
    if (forget) ::deflateReset(&stream_);
  }

 private:
  z_stream stream_{};
};

class PermessageDeflate::Inflater {
 public:
  explicit Inflater(int window_bits) {
    if (::inflateInit2(&stream_, -window_bits) != Z_OK) throw std::bad_alloc();
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  Outcome decompress(std::string_view payload, std::size_t limit, bool forget,
                     std::string& output) {
    Outcome outcome = feed(payload, limit, output);
    if (outcome == Outcome::Done) outcome = feed(kTail, limit, output);
    if (forget || ended_) ::inflateReset(&stream_);
    ended_ = false;
    return outcome;
  }

 private:
  Outcome feed(std::string_view input, std::size_t limit, std::string& output) {
    if (ended_) return Outcome::Done;
    offer(stream_, input);
    do {
      std::size_t room = std::min(kPiece, limit + 1 - output.size());
      int status = grow(stream_, output, room,
                        [](z_stream& stream) { return ::inflate(&stream, Z_SYNC_FLUSH); });
      if (output.size() > limit) return Outcome::TooBig;
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      ended_ = status == Z_STREAM_END;
      if (ended_)
        return stream_.avail_in == 0 || stream_.avail_in == 1 ? Outcome::Done : Outcome::Invalid;
      if (status != Z_OK && status != Z_BUF_ERROR) return Outcome::Invalid;
    } while (stream_.avail_out == 0);
    return stream_.avail_in == 0 ? Outcome::Done : Outcome::Invalid;
  }

  z_stream stream_{};
  bool ended_ = false;  // by a final block, which a sender may use
};

PermessageDeflate::PermessageDeflate(const DeflateTerms& terms, bool is_client)
    : terms_(terms), is_client_(is_client) {}
PermessageDeflate::~PermessageDeflate() = default;

std::string PermessageDeflate::compress(std::string_view message) {
  // zlib has nothing to flush then; this is an empty stored block without its tail.
  if (message.empty()) return std::string(1, '\0');
  int bits = is_client_ ? terms_.client_max_window_bits : terms_.server_max_window_bits;
  bool forget = is_client_ ? terms_.client_no_context_takeover : terms_.server_no_context_takeover;
  if (!deflater_) deflater_ = std::make_unique<Deflater>(bits);
  std::string output;
  deflater_->compress(message, forget, output);
  return output;
}

PermessageDeflate::Outcome PermessageDeflate::decompress(std::string_view payload,
                                                         std::size_t limit, std::string& message) {
  int bits = is_client_ ? terms_.server_max_window_bits : terms_.client_max_window_bits;
  bool forget = is_client_ ? terms_.server_no_context_takeover : terms_.client_no_context_takeover;
  if (!inflater_) inflater_ = std::make_unique<Inflater>(bits);
  return inflater_->decompress(payload, limit, forget, message);
}

}  // namespace asyncio::http::detail
