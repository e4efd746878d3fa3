// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/detail/net/read_awaiters.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/timeout.hpp"
#include "http/http2_server.hpp"

#include <optional>

namespace asyncio::http::detail {

namespace {

Coro<std::size_t> more_of(StreamReader reader) {
  std::size_t got = co_await asyncio::detail::ReadMore(reader.state());
  co_return got;
}

}  // namespace

Coro<bool> begins_with_preface(StreamReader reader, Delay idle, Delay head) {
  auto& buffer = reader.state()->buffer();
  EventLoop loop = get_running_loop();
  std::optional<TimePoint> began;  // with its first byte
  while (buffer.view().size() < kHttp2Preface.size()) {
    if (!kHttp2Preface.starts_with(buffer.view())) co_return false;
    if (!began && !buffer.view().empty()) began = loop.time();
    Delay limit = idle;
    if (began) limit = head.duration() - (loop.time() - *began);
    // What fails here fails again where it is answered.
    auto got = co_await capture(wait_for(more_of(reader), limit));
    if (got.cancelled()) got.rethrow();
    if (got.holds<TimeoutError>()) reader.set_exception(got.exception());
    if (!got || got.value() == 0) co_return false;
  }
  co_return buffer.view().starts_with(kHttp2Preface);
}

}  // namespace asyncio::http::detail
