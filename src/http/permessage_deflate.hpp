// SPDX-License-Identifier: BSL-1.0
/// Compressed WebSocket messages (RFC 7692).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// What both sides have agreed to, or what one of them wants: zlib's streams keep nothing between
/// messages, or refer to no more than the last 2^bits bytes.
struct DeflateTerms {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 15;
  int client_max_window_bits = 15;

  bool operator==(const DeflateTerms&) const = default;
};

/// The offer of a client: the value of Sec-WebSocket-Extensions.
std::string deflate_offer(const DeflateTerms& wanted);

/// Answers the first offer in a request's Sec-WebSocket-Extensions that a server can take which
/// wants no more than this; nothing if there is none.
std::optional<DeflateTerms> accept_deflate(std::string_view offers, const DeflateTerms& wanted);

/// The value of the response's Sec-WebSocket-Extensions.
std::string deflate_answer(const DeflateTerms& terms);

/// What a response to deflate_offer(wanted) has settled; nothing for an empty one.
/// Throws: ValueError for extensions or parameters that were not offered, or not as was asked.
std::optional<DeflateTerms> read_deflate_answer(std::string_view answer,
                                                const DeflateTerms& wanted);

/// Both directions of one connection. What keeps nothing between messages needs no memory between
/// them: such streams are the thread's.
class PermessageDeflate {
 public:
  PermessageDeflate(const DeflateTerms& terms, bool is_client);
  ~PermessageDeflate();

  /// What a frame with RSV1 carries.
  std::string compress(std::string_view message);

  enum class Outcome { good, too_big, invalid };
  /// Appends to `message` what the next piece of such a frame says, if it does not grow beyond
  /// `limit`.
  Outcome decompress(std::string_view piece, std::size_t limit, std::string& message);
  /// The same for what is left at the message's end.
  Outcome finish(std::size_t limit, std::string& message);

 private:
  class Deflater;
  class Inflater;
  struct Spare;
  static Spare& spare();

  bool forgets_sent_, forgets_received_;
  int sent_bits_, received_bits_;
  std::unique_ptr<Deflater> deflater_;  // made when needed: a quarter of a mebibyte
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace asyncio::http::detail
