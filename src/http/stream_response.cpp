// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/stream_response.hpp"

#include "asyncio/exceptions.hpp"
#include "http/response_coding.hpp"
#include "http/server_exchange.hpp"

#include <cerrno>
#include <memory>

namespace asyncio::web {

namespace {

using http::detail::Encoder;
using http::detail::Flush;
using http::detail::ServerExchange;

/// The exchange as long as its handler runs: a response may be kept for longer.
std::shared_ptr<ServerExchange> used(const std::weak_ptr<ServerExchange>& link) {
  std::shared_ptr<ServerExchange> exchange = link.lock();
  if (!exchange || !exchange->is_handling())
    throw ConnectionResetError(ECONNRESET, "StreamResponse: the handler has ended");
  return exchange;
}

Coro<> write_on(std::weak_ptr<ServerExchange> link, std::string_view data) {
  std::shared_ptr<ServerExchange> exchange = used(link);  // until this has ended
  co_await exchange->write_stream(data);
}

Coro<> write_coded(std::weak_ptr<ServerExchange> link, std::shared_ptr<Encoder> encoder,
                   std::string_view data, Flush flush) {
  std::shared_ptr<ServerExchange> exchange = used(link);
  std::string coded;
  encoder->encode(data, flush, coded);
  co_await exchange->write_stream(coded);
}

}  // namespace

Coro<> StreamResponse::prepare(Request& request) {
  if (state_ != State::fresh) throw RuntimeError("StreamResponse: prepare() was called already");
  ServerExchange& exchange = request.exchange();
  if (head_.compresses()) {
    if (auto coding = http::detail::negotiate_coding(request.headers(), head_)) {
      encoder_ = http::detail::make_encoder(*coding);
      content_length_.reset();
    }
  }
  exchange.set_encoder(encoder_);
  exchange_ = exchange.weak_from_this();
  state_ = State::open;
  try {
    co_await exchange.begin_stream(head_, content_length_);
  } catch (const BaseException&) {  // the head is on its way
    throw;
  } catch (...) {  // Rethrown.
    state_ = State::fresh;
    throw;
  }
}

Coro<> StreamResponse::write(std::string_view data) {
  if (state_ != State::open)
    throw RuntimeError("StreamResponse: write() before prepare() or after write_eof()");
  // Of nothing, an encoder would make a block all the same.
  if (!encoder_ || data.empty()) return write_on(exchange_, data);
  return write_coded(exchange_, encoder_, data, Flush::Sync);
}

Coro<Response> StreamResponse::write_eof() {
  if (state_ == State::fresh) throw RuntimeError("StreamResponse: write_eof() before prepare()");
  if (state_ == State::open) state_ = State::ending;
  if (std::shared_ptr<Encoder> last = std::exchange(encoder_, nullptr)) {
    used(exchange_)->set_encoder(nullptr);
    co_await write_coded(exchange_, last, {}, Flush::End);
  }
  if (std::exchange(state_, State::ended) == State::ending) {
    std::shared_ptr<ServerExchange> exchange = used(exchange_);
    co_await exchange->end_stream();
  }
  co_return Response::sent();
}

}  // namespace asyncio::web
