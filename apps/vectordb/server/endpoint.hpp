// SPDX-License-Identifier: BSL-1.0
/// What the endpoints share: the way from a body to a request, and from a result to an answer.
#pragma once

#include "vectordb/server/answers.hpp"
#include "vectordb/server/json_text.hpp"
#include <asyncio/coro.hpp>
#include <asyncio/threads.hpp>
#include <asyncio/web/application.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace vectordb {

/// Beyond, JSON is read and written by a thread: the loop has others to serve.
inline constexpr std::size_t kSmallBody = std::size_t{64} << 10;
inline constexpr std::size_t kSmallResult = 8192;  // as weight_of() counts: about a millisecond

template <class T>
T parse_as(const std::string& body, T (*read)(const nlohmann::json&)) {
  return read(json_of(body));
}

/// The body of a request, as `read` takes it.
template <class T>
asyncio::Coro<T> read_body(asyncio::web::Request& request, T (*read)(const nlohmann::json&)) {
  std::string body = co_await request.read();
  if (body.size() <= kSmallBody) co_return parse_as(body, read);
  auto value = co_await asyncio::to_thread(&parse_as<T>, std::move(body), read);
  co_return value;
}

template <class T>
T construct(const nlohmann::json& body) {
  return T(body);
}

/// A result as JSON text.
template <class T>
asyncio::Coro<std::string> write_result(T value, std::string (*write)(const T&)) {
  if (weight_of(value, kSmallResult) <= kSmallResult) co_return write(value);
  std::string text = co_await asyncio::to_thread(write, std::move(value));
  co_return text;
}

/// {"result": ..., "status": "ok", "time": seconds}
asyncio::web::Response answer(const std::string& result, asyncio::TimePoint begin);

/// Adds a route; `endpoint` is called with the request and the name of the collection.
template <class F>
void route(asyncio::web::Application& app, std::string_view method, std::string_view path,
           F endpoint) {
  app.add_route(method, path,
                [endpoint](asyncio::web::Request& request,
                           std::string name) -> asyncio::Coro<asyncio::web::Response> {
                  asyncio::TimePoint begin = asyncio::get_running_loop().time();
                  std::string result = co_await endpoint(request, std::move(name));
                  co_return answer(result, begin);
                });
}

}  // namespace vectordb
