// SPDX-License-Identifier: BSL-1.0
#include "http/http1_channel.hpp"

#include "asyncio/exceptions.hpp"
#include "http/write_head.hpp"

#include <array>
#include <cerrno>
#include <string_view>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kMostKept = 16384;  // of the memory for a head, a thread's

}  // namespace

void Http1Channel::send(const ClientRequest& request) {
  connection_->parser.expect(request.head.method, request.head.upgrade);
  chunked_ = request.head.body.kind() == BodyFraming::Kind::chunked;
  thread_local std::string out;
  out.clear();
  write_head(out, request.head, *request.fields);
  const std::array<std::string_view, 2> pieces{out, request.body};
  if (request.body.empty())
    connection_->writer.write(pieces.front());
  else
    connection_->writer.connection()->write_all(pieces);
  if (out.capacity() > kMostKept) std::string().swap(out);
}

StreamWriter Http1Channel::writer() const {
  if (!connection_) throw ConnectionResetError(ECONNRESET, "the exchange has ended");
  return connection_->writer;
}

Coro<> Http1Channel::send_piece(std::string piece) {
  StreamWriter to = writer();  // others may abort meanwhile
  if (chunked_) {
    std::string chunk;
    write_chunk_size(chunk, piece.size());
    piece = chunk.append(piece).append(kChunkEnd);
  }
  co_await to.send(std::move(piece));
}

Coro<> Http1Channel::send_end() {
  StreamWriter to = writer();
  std::string bytes;
  if (chunked_) write_last_chunk(bytes);
  co_await to.send(std::move(bytes));
}

Coro<std::size_t> Http1Channel::more(OptionalDelay limit) {
  auto connection = connection_;  // others may abort meanwhile
  DeadlineScope scope(connection->deadline, limit.value_or(Delay::never()));
  std::size_t got = co_await connection->input.more();
  co_return got;
}

void Http1Channel::release(bool reusable) {
  if (!reusable || !connection_->input.buffered().empty()) return abort();
  connector_->keep(std::exchange(connection_, nullptr));
}

void Http1Channel::abort() noexcept {
  auto connection = std::exchange(connection_, nullptr);
  if (!connection) return;
  connection->writer.abort();
  connection->slot.reset();
}

}  // namespace asyncio::http::detail
