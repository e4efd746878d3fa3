// SPDX-License-Identifier: BSL-1.0
#include "http/client_exchange.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/characters.hpp"
#include "http/write_head.hpp"

#include <algorithm>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kDecodedAtOnce = std::size_t{64} << 10;
/// More of an unwanted body costs more than a new connection.
constexpr std::size_t kMaxDiscarded = std::size_t{64} << 10;

}  // namespace

OptionalDelay ClientExchange::time_left() const {
  OptionalDelay limit = timeout_.get_sock_read();
  if (!deadline_) return limit;
  auto left = std::max(*deadline_ - get_running_loop().time(), std::chrono::nanoseconds(0));
  if (limit && limit->duration() < left) return limit;
  return Delay(left);
}

/// What an error of the connection is for the caller.
void ClientExchange::fail(const std::exception_ptr& error, bool in_body) {
  connection_.reset();
  std::string what = std::string(method_.str()) + " " + std::string(url_.str());
  try {
    std::rethrow_exception(error);
  } catch (const IncompleteMessage& failure) {
    if (!in_body && failure.position() == 0)
      throw ServerDisconnectedError(what + ": the server closed the connection without an answer");
    throw ClientPayloadError(what + ": " + failure.what());
  } catch (const ProtocolError& failure) {
    if (in_body) throw ClientPayloadError(what + ": " + failure.what());
    throw;
  } catch (const TimeoutError&) {
    throw ServerTimeoutError(what);
  } catch (const ConnectionResetError&) {
    if (!in_body) throw ServerDisconnectedError(what + ": the server reset the connection");
    throw ClientPayloadError(what + ": the server reset the connection");
  } catch (const OSError& failure) {
    throw ClientOSError(failure.error_number(), what);
  }
}

Coro<Parsed> ClientExchange::next() {
  Parsed parsed = connection_->input.next_buffered();
  if (parsed.event != Event::need_more) co_return parsed;
  OptionalDelay limit = time_left();
  if (!limit) {
    parsed = co_await connection_->input.next();
  } else {
    parsed = co_await wait_for(connection_->input.next(), limit);
  }
  co_return parsed;
}

Coro<> ClientExchange::start(const ClientRequest& request) {
  connection_->parser.expect(method_, request.head.upgrade);
  std::string out;
  write_head(out, request.head);
  out += request.body;
  connection_->writer.write(std::move(out));
  for (;;) {
    auto parsed = co_await capture(next());
    if (!parsed) fail(parsed.exception(), false);
    if (parsed.value().event != Event::head) continue;
    if (!connection_->parser.head().status.is_informational()) break;
  }
  head_ = std::move(connection_->parser.head());
  std::string_view coding = trimmed(head_.headers.get("Content-Encoding", ""));
  std::optional<ContentCoding> known = find_coding(coding);
  if (auto_decompress_ && known) decompressor_.emplace(*known, DecompressionLimits());
  bool has_body = head_.body != BodyFraming() && head_.body != BodyFraming::of_length(0);
  if (!has_body && connection_->input.next_buffered().event == Event::end) finish();
}

/// The response has ended.
void ClientExchange::finish() {
  std::unique_ptr<ClientConnection> connection = std::move(connection_);
  if (decompressor_) decompressor_->finish();
  if (head_.keep_alive && !head_.upgrade) connector_->keep(std::move(connection));
}

std::string ClientExchange::decode(std::string_view& input) {
  std::string output;
  if (!decompressor_) {
    output = input;
    input = {};
    return output;
  }
  decompressor_->decode(input, output, kDecodedAtOnce);
  return output;
}

Coro<std::string> ClientExchange::read_some() {
  while (connection_) {
    if (undecoded_.empty()) {
      auto parsed = co_await capture(next());
      if (!parsed) fail(parsed.exception(), true);
      if (parsed.value().event == Event::end) {
        finish();
        break;
      }
      undecoded_ = parsed.value().body;
    }
    std::string output = decode(undecoded_);
    if (!output.empty()) co_return output;
  }
  co_return std::string();
}

Coro<std::string> ClientExchange::read(std::size_t limit) {
  if (!body_) {
    std::string body;
    while (true) {
      std::string part = co_await read_some();
      if (part.empty()) break;
      if (body.size() + part.size() > limit) {
        connection_.reset();
        throw ClientPayloadError(std::string(url_.str()) + ": a body of more than " +
                                 std::to_string(limit) + " bytes");
      }
      body += part;
    }
    body_ = std::move(body);
  }
  co_return *body_;
}

Coro<> ClientExchange::discard() {
  decompressor_.reset();
  std::size_t discarded = 0;
  while (connection_) {
    std::string part = co_await read_some();
    discarded += part.size();
    if (discarded > kMaxDiscarded) connection_.reset();
  }
}

}  // namespace asyncio::http::detail
