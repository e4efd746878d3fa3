// SPDX-License-Identifier: BSL-1.0
/// Heads as HTTP/2 has them, and the rules for those of a peer.
#pragma once

#include "asyncio/http/head.hpp"

#include <cstdint>
#include <nghttp2/nghttp2.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// The fields of a block that is to be sent: names in lower case, none that is of a connection.
class Http2Fields {
 public:
  /// Without a Host, and without what HTTP/2 has no use for: Connection and what it names,
  /// Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade, and a TE other than "trailers".
  void add_all(const Headers& headers);
  void add(std::string_view name, std::string_view value);
  /// Good until the next `add`.
  const std::vector<nghttp2_nv>& view() const;

 private:
  struct Place {
    std::size_t at, name_size, value_size;
  };
  std::string text_;
  std::vector<Place> places_;
  mutable std::vector<nghttp2_nv> view_;
};

/// Whether RFC 9113, 8.2.2, bans it from HTTP/2.
bool is_of_connection(std::string_view name) noexcept;

/// What follows from the fields of a head; nullopt if they are right, else what is not.
std::optional<std::string> check_target(const RequestHead& head);
std::optional<std::string> check_fields(const Headers& headers, bool request);
/// From the Content-Length, which nghttp2 has checked.
BodyFraming framing_of(const Headers& headers, bool ends_stream);

}  // namespace asyncio::http::detail
