// SPDX-License-Identifier: BSL-1.0
/// Compressed WebSocket messages (RFC 7692).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// What both sides have agreed to.
struct DeflateTerms {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  int server_max_window_bits = 15;
  int client_max_window_bits = 15;

  bool operator==(const DeflateTerms&) const = default;
};

/// The offer of a client: the value of Sec-WebSocket-Extensions.
std::string_view deflate_offer() noexcept;

/// Answers the first offer in a request's Sec-WebSocket-Extensions that a server can take; nothing
/// if there is none.
std::optional<DeflateTerms> accept_deflate(std::string_view offers);

/// The value of the response's Sec-WebSocket-Extensions.
std::string deflate_answer(const DeflateTerms& terms);

/// What a response to deflate_offer() has settled; nothing for an empty one.
/// Throws: ValueError for extensions or parameters that were not offered.
std::optional<DeflateTerms> read_deflate_answer(std::string_view answer);

/// Both directions of one connection.
class PermessageDeflate {
 public:
  PermessageDeflate(const DeflateTerms& terms, bool is_client);
  ~PermessageDeflate();

  /// What a frame with RSV1 carries.
  std::string compress(std::string_view message);

  enum class Outcome { Done, TooBig, Invalid };
  /// The message that such frames have carried, at most `limit` bytes of it.
  Outcome decompress(std::string_view payload, std::size_t limit, std::string& message);

 private:
  class Deflater;
  class Inflater;

  DeflateTerms terms_;
  bool is_client_;
  std::unique_ptr<Deflater> deflater_;  // made when needed: a quarter of a mebibyte
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace asyncio::http::detail
