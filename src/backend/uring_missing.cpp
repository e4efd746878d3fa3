// SPDX-License-Identifier: BSL-1.0
// Built where liburing is not; else uring.cpp is.
#include "asyncio/detail/backend/uring.hpp"

namespace asyncio::detail {

std::unique_ptr<Backend> make_uring_backend(std::string& refusal, const UringOptions&) {
  refusal = "the library was built without liburing";
  return nullptr;
}

}  // namespace asyncio::detail
