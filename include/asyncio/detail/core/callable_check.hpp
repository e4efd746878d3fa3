// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

namespace asyncio::detail {

/// Whether a callable deduced as `F&&` survives inside a full expression with co_await. g++ before
/// 12.3... copies a lambda temporary bit by bit there and destroys its captures twice
/// (compilers.md, G1), so there it has to be named, or to hold nothing that needs a destructor.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
template <class F>
inline constexpr bool safe_callable_v =
    std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<std::remove_reference_t<F>>;
#else
template <class F>
inline constexpr bool safe_callable_v = true;
#endif

}  // namespace asyncio::detail
