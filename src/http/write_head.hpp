// SPDX-License-Identifier: BSL-1.0
/// Messages as bytes: heads, chunks.
#pragma once

#include "asyncio/http/head.hpp"
#include "http/fields.hpp"

#include <cstdint>
#include <string>

namespace asyncio::http::detail {

/// Appends the head. Content-Length and Transfer-Encoding come from `body`, and Connection from
/// `keep_alive`: if they are among the fields, too, they have to agree.
///
/// Throws   ValueError, and appends nothing, if it would not be a valid head.
void write_head(std::string& out, const RequestHead& head);
void write_head(std::string& out, const ResponseHead& head);

/// What a head says about its message.
///
/// Throws   ValueError if it would not be a valid head.
HeadFields checked_fields(const RequestHead& head);
/// As `write_head`, of a head that is as it was when it was checked.
void write_head(std::string& out, const RequestHead& head, const HeadFields& checked);

/// Appends what stands in front of a chunk's bytes. They are followed by `kChunkEnd`. A chunk of no
/// bytes would end the body: there is none.
void write_chunk_size(std::string& out, std::uint64_t size);
inline constexpr std::string_view kChunkEnd = "\r\n";

/// Appends the end of a body in chunks.
///
/// Throws   ValueError, and appends nothing, if a trailer belongs into the head.
void write_last_chunk(std::string& out, const Headers& trailers = {});

}  // namespace asyncio::http::detail
