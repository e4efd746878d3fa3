// SPDX-License-Identifier: BSL-1.0
// The library keeps blocks for frames, tasks and handles, unless it sees AddressSanitizer, by the
// name below. A program with this file takes each of them from the heap, where it can fail.
#if defined(__SANITIZE_ADDRESS__)
#define TEST_WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TEST_WITH_ASAN
#endif
#endif

#ifndef TEST_WITH_ASAN
extern "C" void __asan_init();
extern "C" void __asan_init() {}
#endif
