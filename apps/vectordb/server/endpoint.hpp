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
#include <string_view>
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

/// A result as the beginning of an answer, with room for its end: one of megabytes is made by a
/// thread, and the loop copies nothing of it.
class ResultText {
 public:
  ResultText(std::string_view json);                                           // NOLINT: "true"
  ResultText(const std::string& json) : ResultText(std::string_view(json)) {}  // NOLINT
  ResultText(const char* json) : ResultText(std::string_view(json)) {}         // NOLINT

  /// {"result": ..., "status": "ok", "time": seconds}
  std::string ended(double seconds) &&;

 private:
  std::string text_;
};

template <class T>
ResultText text_of(const T& value, std::string (*write)(const T&)) {
  return ResultText(write(value));
}

template <class T>
asyncio::Coro<ResultText> write_result(T value, std::string (*write)(const T&)) {
  if (weight_of(value, kSmallResult) <= kSmallResult) co_return text_of(value, write);
  ResultText text = co_await asyncio::to_thread(&text_of<T>, std::move(value), write);
  co_return text;
}

asyncio::web::Response answer(ResultText result, asyncio::TimePoint begin);

/// Adds a route; `endpoint` is called with the request and the name of the collection.
template <class F>
void route(asyncio::web::Application& app, std::string_view method, std::string_view path,
           F endpoint) {
  app.add_route(method, path,
                [endpoint](asyncio::web::Request& request,
                           std::string name) -> asyncio::Coro<asyncio::web::Response> {
                  asyncio::TimePoint begin = asyncio::get_running_loop().time();
                  ResultText result = co_await endpoint(request, std::move(name));
                  co_return answer(std::move(result), begin);
                });
}

}  // namespace vectordb
