// SPDX-License-Identifier: BSL-1.0
#include "http/client_upload.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// A body of an announced length has that length.
class Count {
 public:
  explicit Count(BodyFraming framing) noexcept
      : counts_(framing.kind() != BodyFraming::Kind::chunked), left_(framing.length()) {}

  /// Throws   ValueError if there is more than was announced.
  void take(std::size_t size) {
    if (!counts_) return;
    if (size > left_) throw ValueError("the body is longer than its Content-Length");
    left_ -= size;
  }
  /// Throws   ValueError if there was less than was announced.
  void end() const {
    if (left_ > 0)
      throw ValueError("the body is " + std::to_string(left_) +
                       " bytes shorter than its Content-Length");
  }

 private:
  bool counts_;
  std::uint64_t left_;
};

/// Nothing at the end.
Coro<std::optional<std::string>> next_piece(BodySource& source, Count& count,
                                            const Traces& traces) {
  std::optional<std::string> piece = co_await source.next();
  if (!piece) {
    count.end();
    co_return std::nullopt;
  }
  const std::size_t size = piece->size();
  count.take(size);
  if (size > 0 && traces)
    traces->tell(TraceEvent::request_chunk_sent, [&](TraceParams& params) { params.bytes = size; });
  co_return piece;
}

Coro<> send_next(ClientChannel& channel, std::optional<std::string> piece) {
  if (!piece) return channel.send_end();
  return channel.send_piece(std::move(*piece));
}

}  // namespace

Coro<> send_body(std::shared_ptr<Upload> upload, std::shared_ptr<ClientChannel> channel,
                 std::shared_ptr<BodySource> source, BodyFraming framing, Traces traces) {
  Count count(framing);
  for (;;) {
    auto piece = co_await capture(next_piece(*source, count, traces));
    if (!piece) {
      upload->error = piece.exception();
      channel->break_off();
      if (piece.cancelled()) piece.rethrow();
      co_return;
    }
    const bool ends = !piece.value();
    if (!ends && piece.value()->empty()) continue;
    auto sent = co_await capture(send_next(*channel, std::move(piece).value()));
    if (sent.cancelled()) sent.rethrow();
    if (!sent) co_return;
    if (ends) break;
  }
  upload->done = true;
}

}  // namespace asyncio::http::detail
