// SPDX-License-Identifier: BSL-1.0
#include "http/http2_exchange.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/response_head.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr auto kLinger = std::chrono::seconds(2);
constexpr std::uint64_t kFileSlice = std::uint64_t{64} << 10;

}  // namespace

Http2Exchange::Http2Exchange(std::shared_ptr<Http2Connection> connection,
                             std::shared_ptr<Http2Stream> stream, const ServerSettings& settings,
                             const WebHandler& handler)
    : ServerExchange(connection->writer(), settings, handler),
      connection_(std::move(connection)),
      stream_(std::move(stream)) {}

Coro<> Http2Exchange::serve() {
  Result<void> outcome = co_await capture(answer());
  if (!outcome && !head_sent_ && !has_gone()) {
    std::optional<Status> status = answer_to(outcome.exception());
    if (status) refuse(*status);
  }
  Result<void> taken = outcome;
  if (!outcome && stream_ended_ && !outcome.cancelled())
    taken = co_await capture(client_takes(Until::sent));
  connection_->session().drop_input(*stream_);
  const bool is_whole = stream_->output_sent();
  if (is_whole && !taken.cancelled()) taken = co_await capture(linger());
  // A response that is not whole must not look like one.
  const Http2Code code = is_whole ? Http2Code::no_error : Http2Code::internal_error;
  connection_->session().reset(*stream_, code);
  connection_->flush_soon();
  if (outcome || taken.cancelled()) outcome = std::move(taken);
  try {
    outcome.value();
  } catch (const std::exception&) {  // what a client does wrong is no error here
  }
}

/// A client that has the answer ends its request by itself; told to at once, some forget the
/// answer.
Coro<> Http2Exchange::linger() {
  if (stream_->closed() || stream_->input_ended()) co_return;
  co_await wait_for(connection_->wait_input(stream_), kLinger);
}

Coro<> Http2Exchange::answer() {
  if (stream_->refusal()) throw BadRequest(*stream_->refusal());
  RequestHead& head = stream_->request;
  is_head_ = head.method == Method::HEAD;
  body_ended_ = stream_->input_ended() && stream_->unread() == 0;
  continue_due_ = expects_continue(head) && !body_ended_;
  TimePoint began = settings_.access_log ? get_running_loop().time() : TimePoint();
  web::Request request(head, *this);
  try {
    answer_with(request, co_await capture(call_handler(request)));
    if (owes_end_) co_await finish_stream(request);
    if (stream_ended_) co_await client_takes(Until::sent);
  } catch (...) {  // Rethrown.
    log_end(request, began, bytes_taken(), std::current_exception());
    throw;
  }
  if (settings_.access_log) log_access(request, began, bytes_taken());
}

/// Not in the frame of `answer`, which lasts as long as the handler.
void Http2Exchange::answer_with(const web::Request& request, Result<web::Response>&& outcome) {
  web::Response response = answer_of(request, std::move(outcome));
  if (!head_sent_) send(response);
  if (asks_to_close(response)) connection_->session().go_away();
}

/// Of the body: what the connection has got.
std::uint64_t Http2Exchange::bytes_taken() const noexcept {
  return body_sent_ - std::min<std::uint64_t>(body_sent_, stream_->unsent());
}

Coro<std::string_view> Http2Exchange::read_body() {
  if (input_error_) std::rethrow_exception(input_error_);
  if (body_ended_) co_return std::string_view();
  if (std::exchange(continue_due_, false)) {
    connection_->session().inform(*stream_, ResponseHead(Status::CONTINUE));
    connection_->flush_soon();
  }
  try {
    part_ = co_await wait_for_body();
  } catch (const BaseException&) {  // the rest can be read later
    throw;
  } catch (...) {
    input_error_ = std::current_exception();
    throw;
  }
  body_ended_ = part_.empty();
  body_received_ += part_.size();
  co_return part_;
}

Coro<std::string> Http2Exchange::wait_for_body() {
  std::string part;
  if (stream_->unread() > 0) {
    part = co_await connection_->read(stream_);
    co_return part;
  }
  EventLoop loop = get_running_loop();
  TimePoint began = loop.time();
  part = co_await wait_for(connection_->read(stream_), patience());
  body_waited_ += loop.time() - began;
  co_return part;
}

void Http2Exchange::send_head(const web::Response& response, std::optional<std::uint64_t> length,
                              bool has_body) {
  if (has_gone()) throw ConnectionResetError(ECONNRESET, "HTTP/2 stream: the client has gone");
  continue_due_ = false;  // it would stand inside the response
  Headers fields = response_fields(response, length);
  connection_->session().respond(*stream_, response.get_status(), fields, has_body);
  connection_->flush_soon();
  head_sent_ = true;
  status_ = response.get_status();
}

void Http2Exchange::send(const web::Response& response) {
  const std::string_view body = body_of(response);
  std::optional<std::uint64_t> length = body.size();
  if (is_head_) length = declared_length(response).value_or(body.size());
  const bool empty = has_no_body(response.get_status());
  if (empty) length.reset();
  const bool has_body = !empty && !is_head_ && !body.empty();
  send_head(response, length, has_body);
  if (has_body) {
    connection_->session().write(*stream_, std::string(body));
    connection_->session().end(*stream_);
    body_sent_ = body.size();
  }
  stream_ended_ = true;
}

/// Answers what cannot be read any further.
void Http2Exchange::refuse(Status status) {
  send(refusal(status));
  log_refusal(stream_->refusal() ? nullptr : &stream_->request, Version::http_2);
}

Coro<> Http2Exchange::begin_stream(const web::Response& response,
                                   std::optional<std::uint64_t> length) {
  check_unanswered();
  check_response(response);
  if (!length) length = declared_length(response);
  if (has_empty_body(response.get_status())) length = 0;
  const bool bodyless = has_no_body(response.get_status());
  left_ = bodyless ? std::optional<std::uint64_t>(0) : length;
  send_head(response, bodyless ? std::nullopt : length, !bodyless && !is_head_);
  co_return;
}

Coro<> Http2Exchange::write_stream(std::string_view data) {
  if (data.empty()) co_return;
  count_written(data.size());
  if (is_head_) co_return;
  co_await write(data);
}

Coro<> Http2Exchange::write(std::string_view data) {
  if (has_gone()) throw ConnectionResetError(ECONNRESET, "HTTP/2 stream: the client has gone");
  connection_->session().write(*stream_, data);
  connection_->flush_soon();
  body_sent_ += data.size();
  co_await client_takes(Until::room);
}

Coro<> Http2Exchange::end_stream() {
  check_written();
  stream_ended_ = true;
  connection_->session().end(*stream_);
  connection_->flush_soon();
  co_return;
}

Coro<> Http2Exchange::send_file(const web::Response& response, File file, std::uint64_t begin,
                                std::uint64_t size) {
  co_await begin_stream(response, size);
  std::uint64_t sent = is_head_ ? size : 0;
  while (sent < size) {
    const auto slice = static_cast<std::size_t>(std::min(kFileSlice, size - sent));
    std::string bytes = co_await file.read_at(begin + sent, slice);
    if (bytes.empty()) throw RuntimeError("a file became shorter while it was sent");
    sent += bytes.size();
    co_await write(bytes);
  }
  left_ = 0;
  co_await end_stream();
}

Coro<> Http2Exchange::switch_protocols(const ResponseHead&) {
  throw RuntimeError("HTTP/2 goes on in no other protocol");
  co_return;
}

/// Waits for the client, which has to take some of the body, not all of it, within the progress
/// timeout.
Coro<> Http2Exchange::client_takes(Until until) {
  for (;;) {
    const std::size_t before = stream_->unsent();
    Coro<> waiting =
        until == Until::room ? connection_->wait_room(stream_) : connection_->wait_sent(stream_);
    Result<void> outcome =
        co_await capture(wait_for(std::move(waiting), settings_.progress_timeout));
    if (!outcome.holds<TimeoutError>()) {
      outcome.value();
      co_return;
    }
    if (stream_->unsent() < before) continue;
    connection_->session().reset(*stream_, Http2Code::cancel);
    throw TimeoutError("HTTP/2 stream: the client takes nothing");
  }
}

}  // namespace asyncio::http::detail
