// SPDX-License-Identifier: BSL-1.0
/// For tests in which memory runs out.
#pragma once

#include "asyncio/exception_group.hpp"
#include "asyncio/exceptions.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

namespace test {

/// Whether the error is lack of memory, or a group with it.
inline bool lacks_memory(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const asyncio::OSError& e) {
    return e.error_number() == ENOMEM;
  } catch (const asyncio::ExceptionGroup& group) {
    for (const std::exception_ptr& each : group.exceptions())
      if (lacks_memory(each)) return true;
    return false;
  } catch (...) {  // Judged.
    return false;
  }
}

/// Which allocation fails now, for the last words of a test that ends in std::terminate.
inline std::uint64_t allocation_of_the_moment = 0;

inline void announce_termination() {
  std::set_terminate([] {
    std::fprintf(stderr, "terminated when allocation %llu failed\n",
                 static_cast<unsigned long long>(allocation_of_the_moment));
    std::abort();
  });
}

}  // namespace test
