// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"

#include <memory>
#include <string>

namespace asyncio::detail {

/// How a ring is made.
struct UringOptions {
  unsigned requests = 128;      // room for those of one submission
  unsigned completions = 1024;  // room for those that were not looked at; the kernel keeps more
  FaultLayer* faults = nullptr;
};

/// Null, with the reason in `refusal`, if there is no io_uring to be had: the system has none or
/// refuses it, or the library was built without. Throws OSError if descriptors have run out.
std::unique_ptr<Backend> make_uring_backend(std::string& refusal, const UringOptions& options = {});

/// A loop on io_uring, or on epoll, with a warning in the log that says why. One in a process: the
/// reason will be the same the next time.
EventLoop make_uring_or_epoll_event_loop(const UringOptions& options = {});

}  // namespace asyncio::detail
