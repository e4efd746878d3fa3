// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/promise.hpp"

#include <initializer_list>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>

namespace asyncio::detail {

template <class T>
consteval std::string_view type_text() {
  return __PRETTY_FUNCTION__;
}

/// What shows elements that somebody else owns. A pointer is not taken for one: who passes a
/// pointer has thought of what it points to.
template <class T>
inline constexpr bool is_view_v = false;
template <class C, class Traits>
inline constexpr bool is_view_v<std::basic_string_view<C, Traits>> = true;
template <class T, std::size_t N>
inline constexpr bool is_view_v<std::span<T, N>> = true;
template <class T>
inline constexpr bool is_view_v<std::initializer_list<T>> = true;
template <class R>
inline constexpr bool is_view_v<std::ranges::ref_view<R>> = true;
template <class It, class End, std::ranges::subrange_kind Kind>
inline constexpr bool is_view_v<std::ranges::subrange<It, End, Kind>> = true;

/// Whether T has no state that could die; of a type that is only declared nobody knows.
template <class T>
consteval bool is_stateless() {
  if constexpr (requires { sizeof(T); })
    return std::is_empty_v<T>;
  else
    return false;
}

/// Whether T is a closure, found from its name, because clang asks while the closure is still
/// incomplete. clang writes "(lambda at file:1:2)", g++ "<lambda()>".
template <class T>
consteval bool is_closure() {
  return type_text<T>().find("lambda") != std::string_view::npos;
}

/// A parameter of a coroutine as it was declared.
template <class Arg>
consteval Hazard parameter_hazard() {
  using Value = std::remove_cvref_t<Arg>;
  static_assert(fits_frame_v<Arg>,
                "a coroutine's parameter may not be over-aligned: pass a pointer");
  if constexpr (is_closure<Value>()) {
    return Hazard::none;  // the first one: see closure_hazard
  } else {
    if (is_view_v<Value>) return Hazard::view;
    return std::is_reference_v<Arg> && !is_stateless<Value>() ? Hazard::reference : Hazard::none;
  }
}

/// The worst of all parameters; that of the closure of a lambda is not known yet.
template <class... Args>
consteval Hazard parameters_hazard() {
  Hazard worst = Hazard::none;
  [[maybe_unused]] auto consider = [&worst](Hazard hazard) {
    if (hazard > worst) worst = hazard;
  };
  (consider(parameter_hazard<Args>()), ...);
  return worst;
}

/// The closure of a coroutine that is a lambda, else void.
template <class... Args>
struct ClosureOf {
  using type = void;
};
template <class First, class... Rest>
struct ClosureOf<First, Rest...> {
  using type =
      std::conditional_t<std::is_reference_v<First> && is_closure<std::remove_cvref_t<First>>(),
                         std::remove_cvref_t<First>, void>;
};

/// A lambda with captures dies, usually, before a task made of its coroutine does. To be asked
/// once the closure is complete: in the body of a member function of the promise.
template <class Closure>
constexpr Hazard closure_hazard(Hazard parameters) {
  if constexpr (std::is_void_v<Closure>)
    return parameters;
  else
    return std::is_empty_v<Closure> ? parameters : Hazard::capture;
}

}  // namespace asyncio::detail
