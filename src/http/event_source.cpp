// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/event_source.hpp"

#include "asyncio/exceptions.hpp"

#include <string_view>

namespace asyncio::web {

namespace {

void require_line(const char* what, std::string_view text) {
  if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos)
    throw ValueError(std::string("server-sent event: ") + what + " with a line break");
}

}  // namespace

std::string ServerEvent::text() const {
  require_line("name", event_);
  require_line("id", id_);
  std::string text;
  if (!id_.empty()) text += "id: " + id_ + "\n";
  if (!event_.empty()) text += "event: " + event_ + "\n";
  if (retry_) text += "retry: " + std::to_string(retry_->count()) + "\n";
  // All three of CRLF, LF and CR end a line for a browser.
  std::string_view rest = data_;
  for (bool more = true; more;) {
    std::size_t end = rest.find_first_of("\r\n");
    more = end != std::string_view::npos;
    text.append("data: ").append(rest.substr(0, end)).append("\n");
    if (more) rest.remove_prefix(end + (rest.substr(end, 2) == "\r\n" ? 2 : 1));
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
