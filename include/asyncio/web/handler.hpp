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

/// The parameters of a handler behind its Request&; none for what is no handler.
template <class F>
struct Parameters {
  static constexpr bool is_handler = false;
};
template <class F>
  requires requires { &F::operator(); }
struct Parameters<F> : Parameters<decltype(&F::operator())> {};
template <class R, class... Args>
struct Parameters<R (*)(Request&, Args...)> {
  static constexpr bool is_handler = true;
  static constexpr bool has_references = (std::is_reference_v<Args> || ...);
  using type = std::tuple<std::decay_t<Args>...>;
  using result = R;
};
template <class R, class... Args>
struct Parameters<R(Request&, Args...)> : Parameters<R (*)(Request&, Args...)> {};
template <class R, class C, class... Args>
struct Parameters<R (C::*)(Request&, Args...)> : Parameters<R (*)(Request&, Args...)> {};
template <class R, class C, class... Args>
struct Parameters<R (C::*)(Request&, Args...) const> : Parameters<R (*)(Request&, Args...)> {};

/// Strings and numbers.
template <class T>
constexpr bool kIsPart = std::is_constructible_v<T, std::string_view> ||
                         (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
template <class Types>
constexpr bool kAreParts = false;
template <class... Args>
constexpr bool kAreParts<std::tuple<Args...>> = (kIsPart<Args> && ...);

/// A part of a path as a T; nothing if it is none.
template <class T>
std::optional<T> part_as(std::string_view text) {
  if constexpr (std::is_constructible_v<T, std::string_view>) {
    return T(text);
  } else {
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

/// Of a handler that takes parts of the path. Each mistake is one line of the compiler.
template <class F>
BoundHandler bind_with_parts(F&& function) {
  using Signature = Parameters<std::decay_t<F>>;
  using Types = typename Signature::type;
  constexpr bool returns_response = std::is_same_v<typename Signature::result, Coro<Response>>;
  static_assert(returns_response, "a handler returns Coro<web::Response>");
  // A coroutine keeps the reference, but not the part it was made of.
  static_assert(!Signature::has_references,
                "a handler takes parts of the path by value: a reference would be to nothing");
  static_assert(kAreParts<Types>, "a handler takes parts of the path as numbers or as strings");
  if constexpr (returns_response && !Signature::has_references && kAreParts<Types>)
    return bind_parts(std::forward<F>(function), std::type_identity<Types>());
  else
    return {};
}

template <class F>
BoundHandler bind_handler(F&& function) {
  using Function = std::decay_t<F>;
  constexpr bool takes_request =
      std::is_invocable_v<Function&, Request&> ||
      (Parameters<Function>::is_handler && !std::is_member_pointer_v<Function>);
  static_assert(
      takes_request,
      "a handler takes web::Request& first, and then parts of the path: a function, a "
      "lambda or an object that is called; for a member function, a lambda that calls it");
  if constexpr (std::is_invocable_v<Function&, Request&>) {
    constexpr bool returns_response =
        std::is_same_v<std::invoke_result_t<Function&, Request&>, Coro<Response>>;
    static_assert(returns_response, "a handler returns Coro<web::Response>");
    if constexpr (returns_response)
      return {std::forward<F>(function), std::nullopt};
    else
      return {};
  } else if constexpr (takes_request) {
    return bind_with_parts(std::forward<F>(function));
  } else {
    return {};
  }
}

}  // namespace detail

}  // namespace asyncio::web
