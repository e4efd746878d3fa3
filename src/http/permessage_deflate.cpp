// SPDX-License-Identifier: BSL-1.0
#include "http/permessage_deflate.hpp"

#include "http/zlib_stream.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// An empty stored block, with which each message's stream ends and which is not sent.
constexpr std::string_view kTail("\0\0\xFF\xFF", 4);
constexpr std::size_t kPiece = std::size_t{4} << 10;
constexpr std::size_t kMostAtOnce = std::size_t{1} << 30;  // zlib counts in 32 bits

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

  std::string compress(std::string_view message) {
    std::string output;
    while (!message.empty()) {
      std::string_view piece = message.substr(0, kMostAtOnce);
      message.remove_prefix(piece.size());
      offer(stream_, piece);
      const int flush = message.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH;
      do {
        grow(stream_, output, kPiece, [=](z_stream& stream) { return ::deflate(&stream, flush); });
      } while (stream_.avail_out == 0);
    }
    output.resize(output.size() - kTail.size());
    return output;
  }
  void forget() noexcept { ::deflateReset(&stream_); }

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

  Outcome feed(std::string_view input, std::size_t limit, std::string& output) {
    if (input.empty()) return Outcome::good;
    if (ended_) return take_rest(input.size());
    offer(stream_, input);
    do {
      std::size_t room = std::min(kPiece - 1, limit - output.size()) + 1;  // one is too much
      int status = grow(stream_, output, room,
                        [](z_stream& stream) { return ::inflate(&stream, Z_SYNC_FLUSH); });
      if (output.size() > limit) return Outcome::too_big;
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      ended_ = status == Z_STREAM_END;
      if (ended_) return take_rest(stream_.avail_in);
      if (status != Z_OK && status != Z_BUF_ERROR) return Outcome::invalid;
    } while (stream_.avail_out == 0);
    return stream_.avail_in == 0 ? Outcome::good : Outcome::invalid;
  }
  Outcome finish(std::size_t limit, std::string& output) {
    if (ended_) return Outcome::good;
    Outcome outcome = feed(kTail, limit, output);
    // Else the tail was taken for what is missing of a block.
    constexpr int kBetweenBlocks = 128;
    bool whole = ended_ || (stream_.data_type & kBetweenBlocks) != 0;
    return outcome == Outcome::good && !whole ? Outcome::invalid : outcome;
  }
  /// Begins a message.
  void forget(bool always) noexcept {
    if (always || ended_) ::inflateReset(&stream_);
    ended_ = false;
    rest_ = 0;
  }

 private:
  /// RFC 7692, 7.2.3.4: one byte of an empty block follows a final one.
  Outcome take_rest(std::size_t size) noexcept {
    rest_ += size;
    return rest_ <= 1 ? Outcome::good : Outcome::invalid;
  }

  z_stream stream_{};
  bool ended_ = false;  // by a final block, which a sender may use
  std::size_t rest_ = 0;
};

/// One of each window, for connections that keep nothing between messages.
struct PermessageDeflate::Spare {
  std::array<std::unique_ptr<Deflater>, 16> deflaters;
  std::array<std::unique_ptr<Inflater>, 16> inflaters;
};

PermessageDeflate::Spare& PermessageDeflate::spare() {
  thread_local Spare instance;
  return instance;
}

PermessageDeflate::PermessageDeflate(const DeflateTerms& terms, bool is_client)
    : forgets_sent_(is_client ? terms.client_no_context_takeover
                              : terms.server_no_context_takeover),
      forgets_received_(is_client ? terms.server_no_context_takeover
                                  : terms.client_no_context_takeover),
      sent_bits_(is_client ? terms.client_max_window_bits : terms.server_max_window_bits),
      received_bits_(is_client ? terms.server_max_window_bits : terms.client_max_window_bits) {}
PermessageDeflate::~PermessageDeflate() = default;

std::string PermessageDeflate::compress(std::string_view message) {
  // zlib has nothing to flush then; this is an empty stored block without its tail.
  if (message.empty()) return std::string(1, '\0');
  auto& deflater =
      forgets_sent_ ? spare().deflaters[static_cast<std::size_t>(sent_bits_)] : deflater_;
  if (!deflater) deflater = std::make_unique<Deflater>(sent_bits_);
  if (forgets_sent_) deflater->forget();
  return deflater->compress(message);
}

PermessageDeflate::Outcome PermessageDeflate::decompress(std::string_view piece, std::size_t limit,
                                                         std::string& message) {
  if (!inflater_) {
    if (forgets_received_)
      inflater_ = std::move(spare().inflaters[static_cast<std::size_t>(received_bits_)]);
    if (!inflater_) inflater_ = std::make_unique<Inflater>(received_bits_);
    inflater_->forget(true);
  }
  return inflater_->feed(piece, limit, message);
}

PermessageDeflate::Outcome PermessageDeflate::finish(std::size_t limit, std::string& message) {
  Outcome outcome = decompress({}, limit, message);  // a message of no bytes has not begun yet
  if (outcome == Outcome::good) outcome = inflater_->finish(limit, message);
  inflater_->forget(false);
  if (forgets_received_)
    spare().inflaters[static_cast<std::size_t>(received_bits_)] = std::move(inflater_);
  return outcome;
}

}  // namespace asyncio::http::detail
