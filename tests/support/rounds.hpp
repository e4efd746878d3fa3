// SPDX-License-Identifier: BSL-1.0
/// How often stress tests repeat.
#pragma once

namespace test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

#ifdef __OPTIMIZE__
inline constexpr bool kOptimized = true;
#else
inline constexpr bool kOptimized = false;
#endif

/// `full` where the code is optimized, a sample of it elsewhere.
constexpr int rounds(int full) { return full / (kSanitized ? 50 : kOptimized ? 1 : 20); }

}  // namespace test
