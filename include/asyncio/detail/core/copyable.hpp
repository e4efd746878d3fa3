// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <type_traits>

namespace asyncio::detail {

/// Whether a T can be copied. std::is_copy_constructible is true for a std::vector of anything,
/// also where the copy would not compile, so this looks at the elements as well.
template <class T>
inline constexpr bool copyable_v = std::is_copy_constructible_v<T>;
template <class T>
  requires requires { typename T::value_type; } &&
               (!std::is_void_v<typename T::value_type> &&
                !std::is_same_v<std::remove_cv_t<typename T::value_type>, std::remove_cv_t<T>>)
inline constexpr bool copyable_v<T> =
    std::is_copy_constructible_v<T> && copyable_v<typename T::value_type>;

}  // namespace asyncio::detail
