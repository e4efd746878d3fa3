// SPDX-License-Identifier: BSL-1.0
/// What can be a handler: functions and lambdas that take the request and parts of its path.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/callable_check.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <charconv>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asyncio::web {

/// `Coro<Response> handler(Request&)`, whatever it was made of.
using Handler = std::function<Coro<Response>(Request&)>;

/// `Coro<Response> middleware(Request&, const Handler& next)`.
using Middleware = std::function<Coro<Response>(Request&, const Handler&)>;

namespace detail {

/// The parameters of a handler behind its Request&.
template <class F>
struct Parameters : Parameters<decltype(&F::operator())> {};
template <class R, class... Args>
struct Parameters<R (*)(Request&, Args...)> {
  // A coroutine keeps the reference, but not the part it was made of.
  static_assert((!std::is_reference_v<Args> && ...),
                "a handler takes parts of the path by value: a reference would be to nothing");
  using type = std::tuple<std::decay_t<Args>...>;
};
template <class R, class... Args>
struct Parameters<R(Request&, Args...)> : Parameters<R (*)(Request&, Args...)> {};
template <class R, class C, class... Args>
struct Parameters<R (C::*)(Request&, Args...)> : Parameters<R (*)(Request&, Args...)> {};
template <class R, class C, class... Args>
struct Parameters<R (C::*)(Request&, Args...) const> : Parameters<R (*)(Request&, Args...)> {};

/// A part of a path as a T; nothing if it is none.
template <class T>
std::optional<T> part_as(std::string_view text) {
  if constexpr (std::is_constructible_v<T, std::string_view>) {
    return T(text);
  } else {
    static_assert(std::is_arithmetic_v<T>,
                  "a handler takes parts of the path as numbers or as strings");
    T number{};
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
  }
}

[[noreturn]] void no_such_page();
std::string_view match_part(const Request& request, std::size_t index);
void check_parameter_count(std::string_view pattern, std::size_t names, std::size_t parameters);

template <class T>
T require_part(const Request& request, std::size_t index) {
  std::optional<T> part = part_as<T>(match_part(request, index));
  if (!part) no_such_page();
  return std::move(*part);
}

/// Calls a handler with parts of the path, in their order.
template <class F, class... Args>
class PartsHandler {
 public:
  explicit PartsHandler(F function) : function_(std::move(function)) {}

  Coro<Response> operator()(Request& request) {
    return call(request, std::index_sequence_for<Args...>());
  }

 private:
  template <std::size_t... I>
  Coro<Response> call(Request& request, std::index_sequence<I...>) {
    return function_(request, require_part<Args>(request, I)...);
  }

  F function_;
};

/// A handler, and how many parts of the path it takes; all if it asks the request for them.
struct BoundHandler {
  Handler handler;
  std::optional<std::size_t> parts;
};

template <class F, class... Args>
BoundHandler bind_parts(F&& function, std::type_identity<std::tuple<Args...>>) {
  return {PartsHandler<std::decay_t<F>, Args...>(std::forward<F>(function)), sizeof...(Args)};
}

template <class F>
BoundHandler bind_handler(F&& function) {
  using Function = std::decay_t<F>;
  if constexpr (std::is_invocable_v<Function&, Request&>) {
    static_assert(std::is_same_v<std::invoke_result_t<Function&, Request&>, Coro<Response>>,
                  "a handler returns Coro<web::Response>");
    return {std::forward<F>(function), std::nullopt};
  } else {
    return bind_parts(std::forward<F>(function),
                      std::type_identity<typename Parameters<Function>::type>());
  }
}

}  // namespace detail

}  // namespace asyncio::web
