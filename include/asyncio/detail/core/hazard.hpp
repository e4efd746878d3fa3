// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/promise.hpp"

#include <span>
#include <string_view>
#include <type_traits>

namespace asyncio::detail {

template <class T>
consteval std::string_view type_text() {
  return __PRETTY_FUNCTION__;
}

template <class T>
inline constexpr bool is_view_v = false;
template <class C, class Traits>
inline constexpr bool is_view_v<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool is_view_v<std::span<T, N>> = true;

/// A parameter of a coroutine as it was declared; `first` may be the object of a member function
/// or lambda.
template <class Arg>
consteval Hazard parameter_hazard(bool first) {
  using Value = std::remove_cvref_t<Arg>;
  if (is_view_v<Value>) return Hazard::view;
  if (!std::is_reference_v<Arg>) return Hazard::none;
  if (first && std::is_class_v<Value>) {
    if (std::is_empty_v<Value>) return Hazard::none;  // a lambda without captures holds nothing
    // clang writes "(lambda at file:1:2)", g++ "<lambda()>".
    if (type_text<Value>().find("lambda") != std::string_view::npos) return Hazard::capture;
  }
  return Hazard::reference;
}

/// The worst of all parameters.
template <class... Args>
consteval Hazard parameters_hazard() {
  Hazard worst = Hazard::none;
  bool first = true;
  [[maybe_unused]] auto consider = [&](Hazard hazard) {
    if (hazard > worst) worst = hazard;
    first = false;
  };
  (consider(parameter_hazard<Args>(first)), ...);
  return worst;
}

}  // namespace asyncio::detail
