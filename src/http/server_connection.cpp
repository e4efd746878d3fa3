// SPDX-License-Identifier: BSL-1.0
#include "http/server_connection.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/transports.hpp"
#include "http/response_head.hpp"
#include "http/websocket_state.hpp"
#include "http/write_head.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <sys/socket.h>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// What is read of a body that the handler did not want, so that the connection can go on.
constexpr std::size_t kMaxDrained = std::size_t{256} << 10;
/// Of a file: what a client has to take within the progress timeout.
constexpr std::uint64_t kFileSlice = std::uint64_t{256} << 10;
/// What a client gets to read the last answer and find that it is the last.
constexpr auto kLinger = std::chrono::seconds(2);
/// Of what the client has not taken: how closely it is known how far it came.
constexpr std::size_t kDrainStep = std::size_t{256} << 10;

/// Until all but so many bytes are taken, while it lives.
class WriteMark {
 public:
  WriteMark(const StreamWriter& writer, std::size_t bytes) : writer_(writer) {
    const auto mark = static_cast<std::ptrdiff_t>(bytes);
    writer_.set_write_buffer_limits(mark, mark);
  }
  WriteMark(const WriteMark&) = delete;
  WriteMark& operator=(const WriteMark&) = delete;
  ~WriteMark() { writer_.set_write_buffer_limits(); }

 private:
  const StreamWriter& writer_;
};

}  // namespace

ServerConnection::ServerConnection(StreamReader reader, StreamWriter writer,
                                   const ServerSettings& settings, const WebHandler& handler)
    : ServerExchange(std::move(writer), settings, handler),
      input_(std::move(reader)),
      deadline_(get_running_loop(), *this) {}

void ServerConnection::stop() {
  const bool is_idle = waiting_ == Waiting::for_request && input_.buffered().empty();
  if (is_idle && requests_ == 0) deadline_.shorten(kFirstRequest);
  if (is_idle && requests_ > 0) expired();
  if (std::exchange(lingers_idly_, false))
    input_.reader().set_exception(TimeoutError("HTTP request"));
}

void ServerConnection::expired() {
  bool takes_more = waiting_ == Waiting::for_client && writer_.get_write_buffer_size() < unsent_;
  if (takes_more) return expect_progress();
  expired_ = true;
  if (waiting_ == Waiting::for_client) return writer_.abort();
  input_.reader().set_exception(TimeoutError("HTTP request"));
}

/// The client has to take some of what is written, not all of it, within the progress timeout.
void ServerConnection::expect_progress() {
  unsent_ = writer_.get_write_buffer_size();
  const bool is_over = lingers_ && unsent_ == 0;
  deadline_.set(is_over ? Delay(kLinger) : settings_.progress_timeout);
}

Coro<> ServerConnection::serve() {
  Result<void> outcome = co_await capture(exchange());
  deadline_.clear();
  std::optional<Status> answer;  // none to who has asked nothing
  if (!outcome && waiting_ != Waiting::for_request) answer = answer_to(outcome.exception());
  // A second answer would be for the next request.
  const bool refused = answer && !head_sent_ && !has_gone();
  if (refused) refuse(*answer);
  // Only a reset tells the client that a response is not whole whose end is the connection's.
  if (head_sent_ && !stream_ended_ && until_close_) reset();
  if (outcome.cancelled()) co_await end_soon();
  const bool is_unread = refused || !body_ended_;
  if (is_unread || may_come_more()) {
    Result<void> lingered = co_await capture(linger(!is_unread));
    if (lingered.cancelled()) {
      writer_.abort();
      outcome = std::move(lingered);
    }
  }
  co_await close();
  try {
    outcome.value();
  } catch (const std::exception&) {  // what a client does wrong is no error here
  }
}

/// Lets go what was written last, as the goodbye of a WebSocket; there was time for the rest.
Coro<> ServerConnection::end_soon() {
  writer_.close();
  Result<void> closed =
      co_await capture(wait_for(writer_.wait_closed(), std::chrono::milliseconds(50)));
  if (!closed) writer_.abort();
}

Coro<> ServerConnection::turn_away() {
  refuse(Status::SERVICE_UNAVAILABLE);
  Result<void> lingered = co_await capture(linger(false));
  if (lingered.cancelled()) writer_.abort();
  co_await close();
  lingered.value();
}

void ServerConnection::reset() {
  ::linger at_once{1, 0};
  std::string_view value(reinterpret_cast<const char*>(&at_once), sizeof at_once);
  try {
    if (auto socket = writer_.socket()) socket->setsockopt(SOL_SOCKET, SO_LINGER, value);
  } catch (const OSError&) {  // closed already, or no real one
  }
  writer_.abort();
}

/// A client that does not read what is left ends with its deadline.
Coro<> ServerConnection::close() {
  settings_.parsers->put(std::move(parser_));
  writer_.close();
  waiting_ = Waiting::for_client;
  if (writer_.get_write_buffer_size() > 0) expect_progress();
  Result<void> closed = co_await capture(writer_.wait_closed());
  deadline_.clear();
  if (!closed.cancelled()) co_return;  // how the client has left does not matter
  writer_.abort();
  closed.rethrow();
}

/// Waits for a request itself, without a parser: while a connection is idle, each frame counts
/// (L2).
Coro<> ServerConnection::exchange() {
  bool goes_on = true;
  while (goes_on) {
    waiting_ = Waiting::for_request;
    head_sent_ = stream_ended_ = until_close_ = false;
    if (input_.buffered().empty()) {
      settings_.parsers->put(std::move(parser_));
      deadline_.set(settings_.keepalive_timeout);
      std::size_t got = co_await input_.more();
      if (got == 0) break;
    }
    if (!parser_) parser_ = settings_.parsers->take(settings_.limits);
    input_.set_parser(*parser_);
    bool is_known = take_head();
    if (!is_known) co_await wait_for_head();
    if (!has_head_) break;
    goes_on = co_await answer();
  }
}

/// Returns false if more has to come before it is known whether there is another request.
bool ServerConnection::take_head() {
  waiting_ = Waiting::for_head;
  has_head_ = false;
  const Event event = input_.next_buffered().event;
  has_head_ = event == Event::head;
  if (has_head_) deadline_.clear();
  return event != Event::need_more;
}

Coro<> ServerConnection::wait_for_head() {
  DeadlineScope scope(deadline_, settings_.head_timeout);
  Parsed parsed = co_await input_.next();
  has_head_ = parsed.event == Event::head;
}

Coro<std::string_view> ServerConnection::read_body() {
  if (body_ended_) co_return std::string_view();
  if (std::exchange(continue_due_, false)) writer_.write("HTTP/1.1 100 Continue\r\n\r\n");
  waiting_ = Waiting::for_body;
  Parsed parsed;
  try {
    parsed = input_.next_buffered();
    if (parsed.event == Event::need_more) parsed = co_await wait_for_body();
  } catch (const BaseException&) {  // the rest can be read later
    throw;
  } catch (...) {  // nobody knows what follows on the connection
    input_error_ = std::current_exception();
    throw;
  }
  body_ended_ = parsed.event == Event::end;
  body_received_ += parsed.body.size();
  co_return parsed.body;
}

Coro<Parsed> ServerConnection::wait_for_body() {
  EventLoop loop = get_running_loop();
  TimePoint began = loop.time();
  DeadlineScope scope(deadline_, patience());
  Parsed parsed = co_await input_.next();
  body_waited_ += loop.time() - began;
  co_return parsed;
}

/// Whether another request may follow, as far as this one is concerned. Who was not told to go on
/// sends no body; what is left of one has to be read, but not at any price.
bool ServerConnection::can_go_on() const noexcept {
  if (!keeps_alive_ || input_error_ || expired_ || settings_.is_stopping) return false;
  if (settings_.keepalive_requests > 0 && requests_ >= settings_.keepalive_requests) return false;
  if (body_ended_) return true;
  std::uint64_t length = parser_->head().body.length();
  return !continue_due_ && length <= body_received_ + kMaxDrained;
}

/// Returns whether another request may follow.
Coro<bool> ServerConnection::answer() {
  RequestHead& head = parser_->head();
  begin_request(head);
  {
    TimePoint began = settings_.access_log ? get_running_loop().time() : TimePoint();
    web::Request request(head, *this);
    try {
      answer_with(request, co_await capture(call_handler(request)));
      if (websocket_) co_await end_websocket();
      if (owes_end_) co_await finish_stream(request);
      if (stream_ended_) co_await drain();
    } catch (...) {  // Rethrown.
      log_end(request, began, bytes_taken(), std::current_exception());
      throw;
    }
    if (settings_.access_log) log_access(request, began, body_sent_);
  }
  if (!stream_ended_) co_return false;
  if (!keeps_alive_ || body_ended_) co_return keeps_alive_;
  bool drained = co_await drain_body();
  co_return drained;
}

void ServerConnection::begin_request(const RequestHead& head) {
  ++requests_;
  bool has_body = head.body != BodyFraming() && head.body != BodyFraming::of_length(0);
  body_ended_ = !has_body && input_.next_buffered().event == Event::end;
  body_sent_ = body_received_ = 0;
  unsent_ = 0;
  encoder_.reset();
  body_waited_ = {};
  continue_due_ = expects_continue(head) && has_body;
  keeps_alive_ = asks_to_stay_ = head.keep_alive;
  is_head_ = head.method == Method::HEAD;
}

Coro<> ServerConnection::drain() {
  waiting_ = Waiting::for_client;
  unsent_ = writer_.get_write_buffer_size();
  DeadlineScope scope(deadline_, unsent_ > 0 ? settings_.progress_timeout : Delay::never());
  while (unsent_ > 2 * kDrainStep) {
    {
      WriteMark mark(writer_, unsent_ - kDrainStep);
      co_await writer_.drain();
    }
    expect_progress();
  }
  co_await writer_.drain();
  unsent_ = 0;
}

/// Of the body, as far as is known: what the system has got.
std::uint64_t ServerConnection::bytes_taken() const noexcept {
  return body_sent_ - std::min<std::uint64_t>(body_sent_, unsent_);
}

/// Of the body, unless it was written to nobody.
void ServerConnection::count_sent(std::size_t size) noexcept {
  if (!writer_.is_closing()) body_sent_ += size;
}

Coro<> ServerConnection::begin_stream(const web::Response& response,
                                      std::optional<std::uint64_t> length) {
  check_unanswered();
  check_response(response);
  if (!length) length = declared_length(response);
  bool is_1_1 = version() >= Version::http_1_1;
  bool bodyless = has_no_body(response.get_status());
  if (bodyless || has_empty_body(response.get_status())) length = 0;
  chunked_ = !length && is_1_1;
  until_close_ = !length && !chunked_ && !is_head_;
  left_ = length;
  keeps_alive_ = can_go_on() && !asks_to_close(response) && !until_close_;
  continue_due_ = false;  // it would stand inside the response
  std::string out;
  ResponseTerms terms{version(), keeps_alive_, length, chunked_};
  if (bodyless) terms.length.reset();
  append_response_head(out, response, terms);
  head_sent_ = true;
  status_ = response.get_status();
  writer_.write(std::move(out));
  co_await drain();
}

Coro<> ServerConnection::write_stream(std::string_view data) {
  if (data.empty()) co_return;
  count_written(data.size());
  if (is_head_) co_return;
  if (chunked_) {
    std::string size;
    write_chunk_size(size, data.size());
    std::array<std::string_view, 3> pieces{size, data, kChunkEnd};
    writer_.writelines(pieces);
  } else {
    writer_.write(data);
  }
  count_sent(data.size());
  co_await drain();
}

Coro<> ServerConnection::end_stream() {
  check_written();
  stream_ended_ = true;
  if (!chunked_ || is_head_) co_return;
  std::string out;
  write_last_chunk(out);
  writer_.write(std::move(out));
  co_await drain();
}

Coro<> ServerConnection::send_file(const web::Response& response, File file, std::uint64_t begin,
                                   std::uint64_t size) {
  co_await begin_stream(response, size);
  std::uint64_t sent = is_head_ ? size : 0;
  EventLoop loop = get_running_loop();
  while (sent < size) {
    if (writer_.is_closing()) throw ConnectionResetError(ECONNRESET, "the client has gone");
    waiting_ = Waiting::for_client;
    unsent_ = 0;  // it has to take all of the slice
    DeadlineScope scope(deadline_, settings_.progress_timeout);
    std::size_t slice = std::min(kFileSlice, size - sent);
    std::size_t done = co_await loop.sendfile(writer_.transport(), file.fileno(),
                                              static_cast<std::int64_t>(begin + sent), slice);
    if (done < slice) throw RuntimeError("a file became shorter while it was sent");
    sent += slice;
    body_sent_ += slice;
  }
  stream_ended_ = true;
}

Coro<> ServerConnection::switch_protocols(const ResponseHead& response) {
  check_unanswered();
  if (!body_ended_) throw RuntimeError("the request's body was not read");
  std::string out = "HTTP/1.1 " + std::to_string(response.status.code()) + " " +
                    std::string(response.status.phrase()) + "\r\n";
  for (HeaderField field : response.headers)
    out.append(field.name).append(": ").append(field.value).append("\r\n");
  out.append("\r\n");
  head_sent_ = true;
  status_ = response.status;
  keeps_alive_ = false;
  head_ = parser_->take_head();
  settings_.parsers->put(std::move(parser_));
  input_.give_back();
  writer_.write(std::move(out));
  co_await drain();
  deadline_.stop();
}

/// Of a handler that threw: its client gets some time to read the goodbye.
Coro<> ServerConnection::end_websocket() {
  websocket_->leave(WSCloseCode::InternalError);
  websocket_.reset();
  Result<void> lingered = co_await capture(linger(false));
  if (lingered.cancelled()) lingered.rethrow();
}

/// Not in the frame of `answer`, which lasts as long as the handler: a response is large (L4).
void ServerConnection::answer_with(const web::Request& request, Result<web::Response>&& outcome) {
  web::Response response = answer_of(request, std::move(outcome));
  if (head_sent_) return;
  keeps_alive_ = can_go_on() && !asks_to_close(response);
  send(response, keeps_alive_, is_head_);
}

void ServerConnection::send(const web::Response& response, bool keep_alive, bool is_head) {
  constexpr std::size_t kCopied = std::size_t{16} << 10;
  thread_local std::string out;
  out.clear();
  const std::string_view body = body_of(response);
  bool empty = has_no_body(response.get_status());
  ResponseTerms terms{version(), keep_alive, std::nullopt, false};
  if (!empty) terms.length = body.size();
  if (!empty && is_head) terms.length = declared_length(response).value_or(body.size());
  append_response_head(out, response, terms);
  head_sent_ = stream_ended_ = true;
  status_ = response.get_status();
  bool has_body = !empty && !is_head && !body.empty();
  if (has_body && body.size() > kCopied) {
    std::array<std::string_view, 2> pieces{out, body};
    writer_.writelines(pieces);
  } else {
    if (has_body) out.append(body);
    writer_.write(std::string_view(out));
  }
  if (has_body) count_sent(body.size());
}

/// Reads what the handler has not read. Returns whether that was not too much.
Coro<bool> ServerConnection::drain_body() {
  std::size_t drained = 0;
  while (!body_ended_) {
    std::string_view part = co_await read_body();
    drained += part.size();
    if (drained > kMaxDrained) co_return false;
  }
  co_return true;
}

/// Whether the client may have sent another request behind the one that was the last: it has, or
/// it learns only from the answer that there is an end. The end of the server waits for no client
/// that has sent nothing, and over TLS only the close itself says that there is one.
bool ServerConnection::may_come_more() const noexcept {
  if (!stream_ended_) return false;
  if (!input_.buffered().empty() || writer_.connection()->has_arrived()) return true;
  return asks_to_stay_ && !settings_.is_stopping && writer_.can_write_eof();
}

/// A connection that is closed with bytes unread is reset, and the client may never see the answer:
/// so it gets some time to read it. `idly`: nothing has come, and nothing has to.
Coro<> ServerConnection::linger(bool idly) {
  if (expired_ || writer_.is_closing()) co_return;
  if (writer_.can_write_eof()) writer_.write_eof();  // over TLS the answer alone says so
  waiting_ = Waiting::for_client;
  lingers_ = true;
  lingers_idly_ = idly && input_.buffered().empty();
  DeadlineScope scope(deadline_, kLinger);
  expect_progress();
  for (std::size_t got = 1; got > 0;) {
    got = co_await input_.drop_more();
    lingers_idly_ = false;
  }
}

/// Answers what cannot be read any further.
void ServerConnection::refuse(Status status) {
  const bool is_head = has_head_ && parser_->head().method == Method::HEAD;
  send(refusal(status), false, is_head);
  log_refusal(has_head_ ? &parser_->head() : nullptr, Version::http_1_0);
}

}  // namespace asyncio::http::detail
