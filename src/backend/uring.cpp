// SPDX-License-Identifier: BSL-1.0
// Built where liburing is; else uring_missing.cpp is.
#include "asyncio/detail/backend/uring.hpp"

#include "uring_backend.hpp"

namespace asyncio::detail {

std::unique_ptr<Backend> make_uring_backend(std::string& refusal, const UringOptions& options) {
  try {
    return std::make_unique<UringBackend>(options);
  } catch (const RingRefused& reason) {
    refusal = reason.what();
    return nullptr;
  }
}

}  // namespace asyncio::detail
