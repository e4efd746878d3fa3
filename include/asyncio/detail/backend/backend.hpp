// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/poller.hpp"

#include <memory>

namespace asyncio {
class EventLoop;
}

namespace asyncio::detail {

/// A loop on `poller`; env ASYNCIODEBUG=1 switches its debug mode on.
EventLoop make_event_loop(std::unique_ptr<Poller> poller);

std::unique_ptr<Poller> make_epoll_backend();

}  // namespace asyncio::detail
