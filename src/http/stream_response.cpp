// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/stream_response.hpp"

#include "asyncio/exceptions.hpp"
#include "http/server_connection.hpp"

namespace asyncio::web {

namespace {

void require_line(const char* what, std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    throw ValueError(std::string("server-sent event: ") + what + " with a line break");
}

}  // namespace

Coro<> StreamResponse::prepare(Request& request) {
  if (connection_) throw RuntimeError("StreamResponse: prepare() was called already");
  connection_ = &request.connection();
  co_await connection_->begin_stream(head_, content_length_);
}

Coro<> StreamResponse::write(std::string_view data) {
  if (!connection_ || ended_)
    throw RuntimeError("StreamResponse: write() before prepare() or after write_eof()");
  written_ += data.size();
  if (content_length_ && written_ > *content_length_)
    throw ValueError("StreamResponse: more than its content_length of " +
                     std::to_string(*content_length_) + " bytes");
  return connection_->write_stream(data);
}

Coro<Response> StreamResponse::write_eof() {
  if (!connection_) throw RuntimeError("StreamResponse: write_eof() before prepare()");
  if (content_length_ && written_ < *content_length_)
    throw ValueError("StreamResponse: " + std::to_string(written_) + " of " +
                     std::to_string(*content_length_) + " bytes");
  if (!std::exchange(ended_, true)) co_await connection_->end_stream();
  co_return Response::sent();
}

std::string ServerEvent::text() const {
  require_line("name", event_);
  require_line("id", id_);
  std::string text;
  if (!id_.empty()) text += "id: " + id_ + "\n";
  if (!event_.empty()) text += "event: " + event_ + "\n";
  if (retry_) text += "retry: " + std::to_string(retry_->count()) + "\n";
  std::string_view rest = data_;
  for (bool more = true; more;) {
    std::size_t end = rest.find('\n');
    more = end != std::string_view::npos;
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    text.append("data: ").append(line).append("\n");
    if (more) rest.remove_prefix(end + 1);
  }
  return text += "\n";
}

EventSourceResponse::EventSourceResponse()
    : StreamResponse(Response()
                         .content_type("text/event-stream")
                         .header("Cache-Control", "no-cache")
                         .header("X-Accel-Buffering", "no")) {}

Coro<> EventSourceResponse::send(const ServerEvent& event) {
  std::string text = event.text();
  co_await write(text);
}

}  // namespace asyncio::web
