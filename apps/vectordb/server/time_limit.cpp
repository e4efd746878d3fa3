// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/time_limit.hpp"

#include "vectordb/engine/errors.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/timeout.hpp>
#include <asyncio/web/exceptions.hpp>

#include <charconv>
#include <cstdint>

namespace vectordb {

using namespace asyncio;

std::optional<std::chrono::seconds> timeout_of(const web::Request& request) {
  if (request.query_string().empty()) return std::nullopt;
  http::MultiDict query = request.query();
  auto text = query.get("timeout");
  if (!text) return std::nullopt;
  std::uint32_t number = 0;
  const char* end = text->data() + text->size();
  auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || number == 0)
    throw InvalidArgument("timeout", "a whole number of seconds from 1 to 4294967295 is expected");
  return std::chrono::seconds(number);
}

Coro<ResultText> within(std::optional<std::chrono::seconds> limit, Coro<ResultText> read) {
  if (!limit) co_return co_await std::move(read);
  Timeout scope = timeout(*limit);
  scope.aenter();
  auto outcome = co_await capture(std::move(read));
  try {
    scope.aexit(outcome.exception());
  } catch (const TimeoutError&) {
    throw web::HTTPRequestTimeout("timeout: not done within " + std::to_string(limit->count()) +
                                  " s");
  }
  co_return std::move(outcome).value();
}

}  // namespace vectordb
