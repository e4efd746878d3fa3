// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <coroutine>

namespace asyncio::detail {

/// False for any arguments: for a static_assert in a function that exists to be refused.
template <class...>
inline constexpr bool never_v = false;

/// Whether T can live in a coroutine's frame, which is aligned as operator new does it: compilers
/// put an over-aligned value there all the same.
template <class T>
inline constexpr bool fits_frame_v = alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
template <class T>
inline constexpr bool fits_frame_v<T&> = true;
template <class T>
inline constexpr bool fits_frame_v<T&&> = true;
template <>
inline constexpr bool fits_frame_v<void> = true;

/// What a call gives that a static_assert has refused. It can be awaited and converted to anything,
/// so that the reason is all that the compiler says. Never made at run time.
class Refused {
 public:
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  Refused await_resume() const noexcept { return *this; }
  template <class T>
  operator T() const;
};

/// The same where a T is needed.
template <class T>
T refused() noexcept;

}  // namespace asyncio::detail
