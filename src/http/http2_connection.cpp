// SPDX-License-Identifier: BSL-1.0
#include "http/http2_connection.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"

#include <cerrno>
#include <new>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// What is taken out of the session at once.
constexpr std::size_t kPiece = std::size_t{64} << 10;
/// What a stream keeps that the peer has not let it send, until its writer has to wait.
constexpr std::size_t kRoom = std::size_t{64} << 10;
/// What is read, and how long, after the end of the session.
constexpr std::size_t kMaxDropped = std::size_t{1} << 20;
constexpr auto kLinger = std::chrono::seconds(2);

}  // namespace

Http2Connection::Http2Connection(StreamReader reader, StreamWriter writer, Http2Role role,
                                 const Http2Terms& terms, Delay progress_timeout)
    : reader_(std::move(reader)),
      writer_(std::move(writer)),
      session_(role, terms),
      loop_(get_running_loop()),
      progress_timeout_(progress_timeout) {}

Http2Connection::~Http2Connection() {
  if (flush_) flush_->cancel();
  if (end_) end_->cancel();
}

Coro<> Http2Connection::run(std::function<void()> received) {
  Self self = shared_from_this();
  Result<void> outcome = co_await capture(receive_all(received));
  std::exception_ptr error = outcome ? nullptr : outcome.exception();
  const bool can_tell = error && !outcome.cancelled();
  std::string why = session_.failure().empty() ? "the connection has ended" : session_.failure();
  session_.lose(can_tell
                    ? error
                    : std::make_exception_ptr(ConnectionResetError(ECONNRESET, "HTTP/2: " + why)));
  Result<void> stopped = co_await capture(stop_sending());
  if (outcome.cancelled()) outcome.rethrow();
  if (stopped.cancelled()) stopped.rethrow();
}

Coro<> Http2Connection::receive_all(const std::function<void()>& received) {
  auto& buffer = reader_.state()->buffer();
  std::size_t dropped = 0;
  flush();
  while (dropped < kMaxDropped) {
    if (buffer.view().empty()) {
      std::size_t got = co_await asyncio::detail::ReadMore(reader_.state());
      if (got == 0) break;
    }
    if (output_ended_)
      dropped += buffer.view().size();
    else
      session_.receive(buffer.view(), loop_.time());
    buffer.clear();
    received();
    flush();
  }
}

Coro<> Http2Connection::stop_sending() {
  if (!sending_) co_return;
  Task<void> task = *std::exchange(sending_, std::nullopt);
  task.cancel();
  Result<void> ended = co_await capture(task);
  if (ended.cancelled() && !task.cancelled()) ended.rethrow();
}

void Http2Connection::flush_soon() {
  if (flush_ || sending_) return;
  flush_ = loop_.call_soon([this] { flush(); });
}

void Http2Connection::flush() {
  if (flush_) std::exchange(flush_, std::nullopt)->cancel();
  if (sending_ || output_ended_) return;
  const std::size_t before = session_.active();
  try {
    send_some();
  } catch (const std::bad_alloc&) {  // what the session has given may be lost
    writer_.abort();
  }
  if (freed_ && session_.active() < before) freed_();
}

void Http2Connection::send_some() {
  while (session_.wants_output() && !writer_.is_closing()) {
    if (writer_.get_write_buffer_size() > writer_.get_write_buffer_limits().second) {
      sending_ = create_task(send_rest(shared_from_this()));
      return;
    }
    std::string output;
    session_.send(output, kPiece);
    if (output.empty()) break;
    writer_.write(std::move(output));
  }
  if (session_.is_over()) end_output();
}

void Http2Connection::end_output() {
  if (std::exchange(output_ended_, true) || writer_.is_closing()) return;
  if (writer_.can_write_eof())
    writer_.write_eof();
  else
    writer_.close();
  watch_end();
}

void Http2Connection::watch_end() {
  unsent_ = writer_.get_write_buffer_size();
  end_ = loop_.call_later(unsent_ > 0 ? progress_timeout_ : Delay(kLinger), [this] {
    end_.reset();
    const bool takes_more = writer_.get_write_buffer_size() < unsent_;
    if (takes_more) return watch_end();
    writer_.abort();
  });
}

/// The peer has to take some of what is written, not all of it, within the progress timeout.
Coro<> Http2Connection::send_rest(Self self) {
  for (bool blocked = true; blocked;) {
    const std::size_t before = self->writer_.get_write_buffer_size();
    Result<void> drained =
        co_await capture(wait_for(self->writer_.drain(), self->progress_timeout_));
    if (drained.cancelled()) drained.rethrow();
    const bool stuck = drained.holds<TimeoutError>();
    if (stuck && self->writer_.get_write_buffer_size() >= before) self->writer_.abort();
    blocked = stuck && !self->writer_.is_closing();
  }
  self->sending_.reset();
  self->flush();
}

Coro<> Http2Connection::wait_head(Stream stream) {
  while (!stream->has_head()) {
    if (stream->error()) std::rethrow_exception(stream->error());
    stream->readable.clear();
    co_await stream->readable.wait();
  }
}

Coro<std::string> Http2Connection::read(Stream stream) {
  Self self = shared_from_this();
  while (stream->unread() == 0) {
    if (stream->error()) std::rethrow_exception(stream->error());
    if (stream->input_ended()) co_return std::string();
    stream->readable.clear();
    co_await stream->readable.wait();
  }
  std::string part = session_.read(*stream);
  flush_soon();
  co_return part;
}

Coro<> Http2Connection::write(Stream stream, std::string_view data) {
  Self self = shared_from_this();
  session_.write(*stream, data);
  flush_soon();
  co_await wait_room(stream);
  if (!stream->closed()) co_return;
  if (stream->error()) std::rethrow_exception(stream->error());
  throw ConnectionResetError(ECONNRESET, std::string("HTTP/2 stream: ") + name_of(stream->code()));
}

Coro<> Http2Connection::wait_input(Stream stream) {
  while (!stream->closed() && !stream->input_ended()) {
    stream->readable.clear();
    co_await stream->readable.wait();
  }
}

Coro<> Http2Connection::wait_room(Stream stream) {
  while (!stream->closed() && stream->unsent() > kRoom) {
    stream->writable.clear();
    co_await stream->writable.wait();
  }
}

Coro<> Http2Connection::wait_sent(Stream stream) {
  while (!stream->closed() && !stream->output_sent()) {
    stream->writable.clear();
    co_await stream->writable.wait();
  }
}

}  // namespace asyncio::http::detail
