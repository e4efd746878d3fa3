// SPDX-License-Identifier: BSL-1.0
#include "http/client_upload.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "http/write_head.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// The body goes out as its head has announced it.
class Framer {
 public:
  explicit Framer(BodyFraming framing) noexcept
      : chunked_(framing.kind() == BodyFraming::Kind::chunked), left_(framing.length()) {}

  /// Throws   ValueError if there is more than was announced.
  std::string framed(std::string piece) {
    if (chunked_) {
      std::string chunk;
      write_chunk_size(chunk, piece.size());
      return chunk.append(piece).append(kChunkEnd);
    }
    if (piece.size() > left_) throw ValueError("the body is longer than its Content-Length");
    left_ -= piece.size();
    return piece;
  }
  /// Throws   ValueError if there was less than was announced.
  std::string end() const {
    std::string bytes;
    if (chunked_) write_last_chunk(bytes);
    if (left_ > 0)
      throw ValueError("the body is " + std::to_string(left_) +
                       " bytes shorter than its Content-Length");
    return bytes;
  }

 private:
  bool chunked_;
  std::uint64_t left_;
};

/// Returns whether there was a piece.
Coro<bool> next_piece(BodySource& source, Framer& framer, std::string& bytes,
                      const Traces& traces) {
  std::optional<std::string> piece = co_await source.next();
  if (!piece) {
    bytes = framer.end();
    co_return false;
  }
  std::size_t size = piece->size();
  if (size > 0) bytes = framer.framed(std::move(*piece));
  if (size > 0 && traces)
    traces->tell(TraceEvent::request_chunk_sent, [&](TraceParams& params) { params.bytes = size; });
  co_return true;
}

}  // namespace

Coro<> send_body(std::shared_ptr<Upload> upload, StreamWriter writer,
                 std::shared_ptr<BodySource> source, BodyFraming framing, Traces traces) {
  Framer framer(framing);
  for (;;) {
    std::string bytes;
    auto more = co_await capture(next_piece(*source, framer, bytes, traces));
    if (!more) {
      upload->error = more.exception();
      writer.abort();
      if (more.cancelled()) more.rethrow();
      co_return;
    }
    auto sent = co_await capture(writer.send(std::move(bytes)));
    if (sent.cancelled()) sent.rethrow();
    if (!sent) co_return;
    if (!more.value()) break;
  }
  upload->done = true;
}

}  // namespace asyncio::http::detail
