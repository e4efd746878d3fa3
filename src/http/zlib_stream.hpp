// SPDX-License-Identifier: BSL-1.0
/// zlib's streams between views and strings.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <zlib.h>

namespace asyncio::http::detail {

/// What is to be read next. zlib counts in 32 bits, and does not change its input.
inline void offer(z_stream& stream, std::string_view input) noexcept {
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(input.size(), 1U << 30));
}

/// Runs `step` on the stream with room for `room` more bytes behind `output`.
template <class Step>
int grow(z_stream& stream, std::string& output, std::size_t room, Step step) {
  std::size_t before = output.size();
  output.resize(before + room);
  stream.next_out = reinterpret_cast<Bytef*>(output.data() + before);
  stream.avail_out = static_cast<uInt>(room);
  int status = step(stream);
  output.resize(before + room - stream.avail_out);
  return status;
}

}  // namespace asyncio::http::detail
