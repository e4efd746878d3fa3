// SPDX-License-Identifier: BSL-1.0
/// The heads of a server's responses.
#pragma once

#include "asyncio/http/head.hpp"
#include "asyncio/web/response.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace asyncio::http::detail {

/// What the server adds to the fields of a handler.
struct ResponseTerms {
  Version version;  // of the request
  bool keep_alive;
  std::optional<std::uint64_t> length;
  bool chunked;
};

/// Whatever its fields say.
constexpr bool has_no_body(Status status) noexcept {
  return status.is_informational() || status == Status::NO_CONTENT ||
         status == Status::NOT_MODIFIED;
}

/// RFC 9110, 15.3.6: nothing either, but it has to say so as any other does.
constexpr bool has_empty_body(Status status) noexcept { return status == Status::RESET_CONTENT; }

/// What a client gets of a body.
inline std::string_view body_of(const web::Response& response) noexcept {
  return has_empty_body(response.get_status()) ? std::string_view() : response.get_body();
}

/// The Content-Length that a handler has set.
/// Throws: ValueError for what is none.
std::optional<std::uint64_t> declared_length(const web::Response& response);

/// Whether the connection has to end with the response.
bool asks_to_close(const web::Response& response) noexcept;

/// Throws: ValueError for a response that would end no exchange, or leave in doubt where it ends: a
/// status of 1xx, a Transfer-Encoding.
void check_response(const web::Response& response);

/// The same for one with its whole body, whose Content-Length has to be right.
void check_whole_response(const web::Response& response, bool is_head);

/// Appends it with the empty line behind it.
void append_response_head(std::string& out, const web::Response& response,
                          const ResponseTerms& terms);
/// The same as fields alone, without those of a connection.
Headers response_fields(const web::Response& response, std::optional<std::uint64_t> length);

}  // namespace asyncio::http::detail
