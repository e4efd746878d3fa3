// SPDX-License-Identifier: BSL-1.0
/// What the fields of a head say about the message itself: HeadFields.
#pragma once

#include "asyncio/http/headers.hpp"

#include <cstdint>
#include <string_view>

namespace asyncio::http::detail {

/// Which heads may have a field only once.
enum class Singleton : std::uint8_t { no, in_requests, in_responses, in_both };

/// The fields that the connection's work depends on. Values are views into the Headers.
class HeadFields {
 public:
  /// Looks at all fields, of a request or of a response.
  HeadFields(const Headers& headers, bool request) noexcept;

  /// A field that occurs twice and may not; empty if there is none.
  std::string_view repeated;
  std::string_view host, content_length, transfer_encoding;
  bool has_host = false, has_content_length = false, has_transfer_encoding = false;
  bool has_upgrade = false;
  /// The options of Connection.
  bool close = false, keep_alive = false, upgrade = false;

 private:
  void take_options(std::string_view list) noexcept;
};

enum class Coding : std::uint8_t { chunked, unknown, invalid };
/// What a Transfer-Encoding says: chunked alone; another coding, then chunked; anything else.
Coding transfer_coding(std::string_view value) noexcept;

/// Whether a Host, or the target of a CONNECT, may be one: a name or address, and perhaps a port.
bool is_host(std::string_view value) noexcept;

/// Fields that say how a message is framed, routed or authorised mean nothing behind it.
bool allowed_in_trailers(std::string_view name) noexcept;

}  // namespace asyncio::http::detail
