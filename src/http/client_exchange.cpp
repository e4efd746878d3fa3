// SPDX-License-Identifier: BSL-1.0
#include "http/client_exchange.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/client_failure.hpp"
#include "http/client_upload.hpp"
#include "http/gathered_body.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kDecodedAtOnce = std::size_t{64} << 10;
/// More of an unwanted body costs more than a new connection.
constexpr std::size_t kMaxDiscarded = std::size_t{64} << 10;
/// More codings on each other have no use but to cost time.
constexpr std::size_t kMostCodings = 5;

/// A body with a coding that this build does not know stays as it is.
ContentDecoder decoder_of(const ResponseHead& head, std::uint64_t max_output) {
  auto codings = parse_codings(head.headers.get("Content-Encoding", ""));
  if (!codings) return {};
  if (codings->size() > kMostCodings)
    throw ContentEncodingError("more than " + std::to_string(kMostCodings) +
                               " content codings on each other");
  DecompressionLimits limits;
  limits.max_output = max_output;
  return ContentDecoder(*codings, limits);
}

}  // namespace

/// Whether a part of the request is still to be sent.
bool ClientExchange::sending() const noexcept {
  return (upload_ && !upload_->done) || channel_->sending();
}

OptionalDelay ClientExchange::time_left(TimePoint now) const {
  OptionalDelay limit = timeout_.get_sock_read();
  if (!deadline_) return limit;
  auto left = std::max(*deadline_ - now, std::chrono::nanoseconds(0));
  if (limit && limit->duration() < left) return limit;
  return Delay(left);
}

std::string ClientExchange::what() const {
  return std::string(method_.str()) + " " + std::string(url_.str());
}

/// What an error of the channel is for the caller.
void ClientExchange::fail(const std::exception_ptr& error, bool in_body) {
  const bool silent = !informed_ && channel_ && channel_->is_silent();
  Arrived arrived = silent ? Arrived::nothing : Arrived::head;
  if (in_body) arrived = Arrived::body;
  std::exception_ptr of_source = upload_ ? upload_->error : nullptr;
  drop();
  const bool cancelled = Result<>(error).cancelled();
  if (of_source && !cancelled) std::rethrow_exception(of_source);
  throw_client_error(what(), arrived, error);
}

/// Waits for bytes, each time for as long as there may be none.
Coro<std::size_t> ClientExchange::more() {
  auto channel = channel_;  // others may close the response meanwhile
  for (;;) {
    // A channel that has waited in vain is done with: so the wait itself ends for what may go on.
    const bool was_sending = sending(), was_uploading = upload_ && !upload_->done;
    const TimePoint begin = get_running_loop().time();
    OptionalDelay own, whole = time_left(begin);
    if (deadline_ && begin >= *deadline_) throw TimeoutError(what());
    if (!was_sending) std::swap(own, whole);
    auto got = co_await capture(wait_for(channel->more(own), whole));
    if (got.cancelled()) got.rethrow();
    if (channel != channel_) throw ClientPayloadError(what() + ": the response was closed");
    if (got) co_return got.value();
    // What is still being sent has no limit but that of it all: the time for reading begins anew.
    const TimePoint now = get_running_loop().time();
    const bool is_over = deadline_ && now >= *deadline_;
    const bool may_go_on = was_uploading || (was_sending && sending());
    const bool in_vain = may_go_on && whole && now - begin >= whole->duration();
    if (!got.holds<TimeoutError>() || is_over || !in_vain) got.rethrow();
  }
}

void ClientExchange::send(const ClientRequest& request) {
  channel_->send(request);
  if (traces_) {
    tell_headers_sent(*traces_, request.head);
    if (!request.body.empty())
      traces_->tell(TraceEvent::request_chunk_sent,
                    [&](TraceParams& params) { params.bytes = request.body.size(); });
  }
  if (!request.source) return;
  upload_ = std::make_shared<Upload>();
  uploading_ =
      create_task(send_body, upload_, channel_, request.source, request.head.body, traces_);
}

Coro<> ClientExchange::read_head() {
  for (;;) {
    const Event event = channel_->next_buffered().event;
    if (event == Event::head && !channel_->head().status.is_informational()) break;
    if (event == Event::head) informed_ = true;
    if (event != Event::need_more) continue;
    std::size_t got = co_await more();
    if (got == 0) channel_->finish();
  }
  take_head();
}

Coro<> ClientExchange::start(Ref self, const ClientRequest& request) {
  self->send(request);
  auto outcome = co_await capture(self->read_head());
  if (!outcome) self->fail(outcome.exception(), false);
}

void ClientExchange::take_head() {
  answered_ = true;
  head_ = std::move(channel_->head());
  bool has_body = head_.body != BodyFraming() && head_.body != BodyFraming::of_length(0);
  if (has_body && auto_decompress_) {
    decoder_ = decoder_of(head_, max_body_);
  }
  if (!has_body) finish_with_head();
}

/// Of a response without a body. What is wrong behind the head is for who reads on, whether it has
/// come with the head or later: the channel says it again.
void ClientExchange::finish_with_head() {
  try {
    if (channel_->next_buffered().event == Event::end) finish();
  } catch (const std::runtime_error&) {
  }
}

/// The response has ended. Its connection is good for another if the request has, too.
void ClientExchange::finish() {
  ended_ = true;
  undecoded_ = {};
  if (sending()) return drop();
  std::exchange(channel_, nullptr)->release(keep_alive_ && head_.keep_alive && !head_.upgrade);
}

/// Nobody wants what is left. If that has come already, the connection is good for another.
void ClientExchange::release() noexcept {
  if (!channel_ || !answered_ || reading_) return drop();
  try {
    undecoded_ = {};
    for (std::size_t size = 0; size <= kMaxDiscarded;) {
      Parsed parsed = channel_->next_buffered();
      if (parsed.event == Event::need_more || parsed.event == Event::head) break;
      if (parsed.event == Event::end) return finish();
      size += parsed.body.size();
    }
  } catch (...) {  // The connection is no good, or the loop is closed: nobody is left to be told.
  }
  drop();
}

void ClientExchange::drop() noexcept {
  undecoded_ = {};
  if (uploading_ && !uploading_->done()) uploading_->cancel();
  uploading_.reset();
  if (auto channel = std::exchange(channel_, nullptr)) channel->abort();
}

void ClientExchange::decode() {
  if (decoder_.empty()) {
    ready_ = undecoded_;
    undecoded_ = {};
  } else {
    decoder_.decode(undecoded_, ready_, kDecodedAtOnce);
  }
}

/// What has come, until something is ready, or the end. Returns false if more has to come.
bool ClientExchange::fill_buffered() {
  while (!ended_) {
    if (!channel_) throw ClientPayloadError(what() + ": the response was closed before its end");
    // Also without more input: a decoder may keep output back.
    decode();
    if (!ready_.empty()) return true;
    const Parsed parsed = channel_->next_buffered();
    if (parsed.event == Event::need_more) return false;
    take_body(parsed);
  }
  return true;
}

void ClientExchange::take_body(const Parsed& parsed) {
  if (parsed.event == Event::end) {
    decoder_.finish();
    return finish();
  }
  undecoded_ = parsed.body;
  if (traces_)
    traces_->tell(TraceEvent::response_chunk_received,
                  [&](TraceParams& params) { params.bytes = parsed.body.size(); });
}

/// Until something is ready, or the end.
Coro<> ClientExchange::fill(Ref self) {
  self->ready_.clear();
  self->ready_at_ = 0;
  bool filled = self->fill_buffered();
  while (!filled) {
    std::size_t got = co_await self->more();
    if (got == 0) self->take_body({self->channel_->finish(), 0, {}});
    filled = self->fill_buffered();
  }
}

Coro<std::string> ClientExchange::read_some(Ref self) {
  if (self->reading_) throw RuntimeError("another task is reading this response");
  if (self->ready_at_ == self->ready_.size()) {
    self->reading_ = true;
    auto outcome = co_await capture(fill(self));
    self->reading_ = false;
    if (!outcome) self->fail(outcome.exception(), true);
  }
  std::string part = std::exchange(self->ready_, {});
  part.erase(0, std::exchange(self->ready_at_, 0));
  co_return part;
}

Coro<std::string> ClientExchange::read_part(Ref self, std::size_t count) {
  std::string part;
  if (self->ready_at_ == self->ready_.size()) {
    part = co_await read_some(self);
    if (part.size() <= count) co_return part;
    self->ready_ = std::move(part);
  }
  part = self->ready_.substr(self->ready_at_, count);
  self->ready_at_ += part.size();
  co_return part;
}

Coro<std::string> ClientExchange::read_line(Ref self, std::size_t limit) {
  std::string line;
  for (;;) {
    if (self->ready_at_ == self->ready_.size()) {
      std::string part = co_await read_some(self);
      if (part.empty()) co_return line;
      self->ready_ = std::move(part);
    }
    std::size_t end = self->ready_.find('\n', self->ready_at_);
    std::size_t count = std::min(end, self->ready_.size() - 1) + 1 - self->ready_at_;
    if (line.size() + count > limit)
      throw ValueError("a line of more than " + std::to_string(limit) + " bytes");
    line.append(self->ready_, self->ready_at_, count);
    self->ready_at_ += count;
    if (end != std::string::npos) co_return line;
  }
}

Coro<std::string> ClientExchange::read(Ref self, std::size_t limit) {
  if (!self->body_) {
    GatheredBody body;
    while (true) {
      std::string part = co_await read_some(self);
      if (part.empty()) break;
      if (body.size() + part.size() > limit) {
        self->drop();
        throw ClientPayloadError(self->what() + ": a body of more than " + std::to_string(limit) +
                                 " bytes");
      }
      body.append(std::move(part));
    }
    self->body_ = body.take();
  }
  co_return *self->body_;
}

Coro<> ClientExchange::discard(Ref self) {
  self->decoder_ = ContentDecoder();
  std::size_t discarded = 0;
  while (self->channel_ && discarded <= kMaxDiscarded) {
    auto part = co_await capture(read_some(self));
    if (part.holds<ClientPayloadError>()) co_return;  // its connection is gone, and not missed
    if (!part) part.rethrow();
    discarded += part.value().size();
    if (part.value().empty()) break;
  }
  self->drop();
}

}  // namespace asyncio::http::detail
