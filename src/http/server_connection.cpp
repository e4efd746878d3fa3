// SPDX-License-Identifier: BSL-1.0
#include "http/server_connection.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/transports.hpp"
#include "asyncio/web/exceptions.hpp"
#include "http/characters.hpp"
#include "http/dates.hpp"
#include "http/write_head.hpp"

#include <array>
#include <exception>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// What is read of a body that the handler did not want, so that the connection can go on.
constexpr std::size_t kMaxDrained = std::size_t{256} << 10;

/// Formatted once a second.
std::string_view current_date() {
  thread_local std::string text;
  thread_local std::chrono::seconds of{-1};
  auto now = std::chrono::system_clock::now();
  auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  if (second != of) {
    text = http_date(now);
    of = second;
  }
  return text;
}

bool has_no_body(Status status) noexcept {
  return status.is_informational() || status == Status::NO_CONTENT ||
         status == Status::NOT_MODIFIED;
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// RFC 9110, 10.1.1: whatever else is expected cannot be met.
bool expects_continue(const RequestHead& head) {
  std::optional<std::string_view> expected = head.headers.get("Expect");
  if (!expected || head.version < Version::http_1_1) return false;
  if (equal_without_case(trimmed(*expected), "100-continue")) return true;
  throw BadRequest(Status::EXPECTATION_FAILED, "request: it expects what no server can give", 0);
}

}  // namespace

ServerConnection::ServerConnection(StreamReader reader, StreamWriter writer,
                                   const ServerSettings& settings, const WebHandler& handler)
    : writer_(std::move(writer)),
      settings_(settings),
      handler_(handler),
      parser_(settings.limits),
      input_(std::move(reader), parser_),
      deadline_(get_running_loop(), [this] { expired(); }) {}

void ServerConnection::expired() {
  expired_ = true;
  if (waiting_ == Waiting::for_client) return writer_.abort();
  input_.reader().set_exception(TimeoutError("HTTP request"));
}

Coro<> ServerConnection::serve() {
  Result<void> outcome = co_await capture(exchange());
  deadline_.clear();
  std::optional<Status> answer = outcome ? std::nullopt : answer_to(outcome.exception());
  if (answer) refuse(*answer);
  if (answer || !body_ended_) {
    Result<void> lingered = co_await capture(linger());
    (void)lingered;
  }
  writer_.close();
  Result<void> closed = co_await capture(writer_.wait_closed());
  (void)closed;  // how the client has left does not matter
  try {
    outcome.value();
  } catch (const std::exception&) {  // what a client does wrong is no error here
  }
}

Coro<> ServerConnection::exchange() {
  bool goes_on = true;
  while (goes_on) {
    bool has_request = co_await read_head();
    if (!has_request) break;
    goes_on = co_await answer();
  }
}

/// What a client gets that has sent nonsense or nothing for too long; nothing if it has gone.
std::optional<Status> ServerConnection::answer_to(const std::exception_ptr& error) const {
  try {
    std::rethrow_exception(error);
  } catch (const BadRequest& refused) {
    return refused.status();
  } catch (const TimeoutError&) {
    if (waiting_ != Waiting::for_request) return Status::REQUEST_TIMEOUT;
  } catch (...) {  // the end of the connection, or of the server
  }
  return std::nullopt;
}

/// Returns whether there is another request.
Coro<bool> ServerConnection::read_head() {
  waiting_ = Waiting::for_request;
  if (input_.buffered().empty()) {
    deadline_.set(settings_.keepalive_timeout);
    std::size_t got = co_await input_.more();
    if (got == 0) co_return false;
  }
  waiting_ = Waiting::for_head;
  Parsed parsed = input_.next_buffered();
  if (parsed.event == Event::need_more) {
    deadline_.set(settings_.head_timeout);
    parsed = co_await input_.next();
  }
  deadline_.clear();
  co_return parsed.event == Event::head;
}

Coro<std::string_view> ServerConnection::read_body() {
  if (body_ended_) co_return std::string_view();
  if (std::exchange(continue_due_, false)) writer_.write("HTTP/1.1 100 Continue\r\n\r\n");
  waiting_ = Waiting::for_body;
  Parsed parsed = input_.next_buffered();
  if (parsed.event == Event::need_more) {
    deadline_.set(settings_.progress_timeout);
    parsed = co_await input_.next();
    deadline_.clear();
  }
  body_ended_ = parsed.event == Event::end;
  co_return parsed.body;
}

/// Whether another request may follow. Who was not told to go on sends no body.
bool ServerConnection::can_go_on() const noexcept {
  return keeps_alive_ && (body_ended_ || !continue_due_);
}

/// Returns whether another request may follow.
Coro<bool> ServerConnection::answer() {
  RequestHead& head = parser_.head();
  bool has_body = head.body != BodyFraming() && head.body != BodyFraming::of_length(0);
  body_ended_ = !has_body && input_.next_buffered().event == Event::end;
  continue_due_ = has_body && expects_continue(head);
  keeps_alive_ = head.keep_alive;
  is_head_ = head.method == Method::HEAD;
  head_sent_ = stream_ended_ = false;
  web::Response response;
  {
    web::Request request(head, *this);
    response = co_await respond(request);
  }
  if (head_sent_) {
    if (!stream_ended_) co_return false;
  } else {
    keeps_alive_ = can_go_on() && !response.closes();
    send(response, keeps_alive_, is_head_);
  }
  co_await drain();
  if (!keeps_alive_) co_return false;
  bool drained = co_await drain_body();
  co_return drained;
}

Coro<> ServerConnection::drain() {
  waiting_ = Waiting::for_client;
  deadline_.set(settings_.progress_timeout);
  co_await writer_.drain();
  deadline_.clear();
}

Coro<> ServerConnection::begin_stream(const web::Response& response,
                                      std::optional<std::uint64_t> length) {
  bool is_1_1 = parser_.head().version >= Version::http_1_1;
  chunked_ = !length && is_1_1 && !has_no_body(response.get_status());
  keeps_alive_ = can_go_on() && !response.closes() && (length || chunked_);
  std::string out;
  append_head(out, response, keeps_alive_);
  if (length) append_field(out, "Content-Length", std::to_string(*length));
  if (chunked_) append_field(out, "Transfer-Encoding", "chunked");
  out.append("\r\n");
  head_sent_ = true;
  writer_.write(std::move(out));
  co_await drain();
}

Coro<> ServerConnection::write_stream(std::string_view data) {
  if (is_head_ || data.empty()) co_return;
  if (chunked_) {
    std::string size;
    write_chunk_size(size, data.size());
    std::array<std::string_view, 3> pieces{size, data, kChunkEnd};
    writer_.writelines(pieces);
  } else {
    writer_.write(data);
  }
  co_await drain();
}

Coro<> ServerConnection::end_stream() {
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
  if (!is_head_ && size > 0) {
    waiting_ = Waiting::for_client;
    std::size_t sent = co_await get_running_loop().sendfile(writer_.transport(), file.fileno(),
                                                            static_cast<std::int64_t>(begin), size);
    if (sent < size) throw RuntimeError("a file became shorter while it was sent");
  }
  stream_ended_ = true;
}

Coro<> ServerConnection::switch_protocols(const ResponseHead& response) {
  if (head_sent_) throw RuntimeError("the request was answered already");
  std::string out = "HTTP/1.1 " + std::to_string(response.status.code()) + " " +
                    std::string(response.status.phrase()) + "\r\n";
  for (HeaderField field : response.headers) append_field(out, field.name, field.value);
  out.append("\r\n");
  head_sent_ = true;
  keeps_alive_ = false;
  writer_.write(std::move(out));
  co_await drain();
  deadline_.clear();
}

Coro<web::Response> ServerConnection::respond(web::Request& request) {
  std::exception_ptr error;
  try {
    web::Response response = co_await handler_(request);
    co_return response;
  } catch (const std::exception&) {
    error = std::current_exception();
  }
  try {
    std::rethrow_exception(error);
  } catch (const web::HTTPException& answer) {
    co_return answer.response();
  } catch (const ProtocolError&) {  // the body
    throw;
  } catch (const std::exception& failure) {
    if (expired_ || writer_.is_closing()) throw;
    log(LogLevel::error, "Error handling request " + std::string(request.method().str()) + " " +
                             request.path() + ": " + failure.what());
    web::Response response(Status::INTERNAL_SERVER_ERROR);
    response.text("500: Internal Server Error");
    co_return response;
  }
}

/// All but how long the body is, and the end.
void ServerConnection::append_head(std::string& out, const web::Response& response,
                                   bool keep_alive) {
  Status status = response.get_status();
  out.append("HTTP/1.1 ").append(std::to_string(status.code())).append(" ");
  out.append(status.phrase()).append("\r\n");
  bool has_type = response.headers().contains("Content-Type");
  for (HeaderField field : response.headers()) append_field(out, field.name, field.value);
  if (!has_type && !response.get_content_type().empty() && !has_no_body(status))
    append_field(out, "Content-Type", response.get_content_type());
  append_field(out, "Date", current_date());
  if (!keep_alive)
    append_field(out, "Connection", "close");
  else if (parser_.head().version < Version::http_1_1)
    append_field(out, "Connection", "keep-alive");
}

void ServerConnection::send(const web::Response& response, bool keep_alive, bool is_head) {
  constexpr std::size_t kCopied = std::size_t{16} << 10;
  thread_local std::string out;
  out.clear();
  append_head(out, response, keep_alive);
  const std::string& body = response.get_body();
  bool empty = has_no_body(response.get_status());
  if (!empty) append_field(out, "Content-Length", std::to_string(body.size()));
  out.append("\r\n");
  bool has_body = !empty && !is_head && !body.empty();
  if (has_body && body.size() > kCopied) {
    std::array<std::string_view, 2> pieces{out, body};
    return writer_.writelines(pieces);
  }
  if (has_body) out.append(body);
  writer_.write(std::string_view(out));
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

/// A connection that is closed with bytes unread is reset, and the client may never see the answer:
/// so it gets some time to read it.
Coro<> ServerConnection::linger() {
  constexpr auto kTime = std::chrono::seconds(2);
  if (expired_ || writer_.is_closing() || !writer_.can_write_eof()) co_return;
  writer_.write_eof();
  waiting_ = Waiting::for_client;
  deadline_.set(kTime);
  std::size_t dropped = 0, got = 0;
  do {
    got = co_await input_.drop_more();
    dropped += got;
  } while (got > 0 && dropped <= kMaxDrained);
  deadline_.clear();
}

/// Answers what cannot be read any further.
void ServerConnection::refuse(Status status) {
  web::Response response(status);
  response.text(std::to_string(status.code()) + ": " + std::string(status.phrase()));
  send(response, false, false);
}

}  // namespace asyncio::http::detail
