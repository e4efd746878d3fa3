// SPDX-License-Identifier: BSL-1.0
#include "http/message_input.hpp"

namespace asyncio::http::detail {

Coro<std::size_t> MessageInput::drop_more() {
  std::size_t size = buffered().size();
  if (size == 0) size = co_await more();
  drop(size);
  lent_ = 0;
  co_return size;
}

Coro<Parsed> MessageInput::next() {
  for (;;) {
    Parsed parsed = next_buffered();
    if (parsed.event != Event::need_more) co_return parsed;
    std::size_t got = co_await more();
    if (got > 0) continue;
    parsed.event = parser_->finish();
    co_return parsed;
  }
}

}  // namespace asyncio::http::detail
