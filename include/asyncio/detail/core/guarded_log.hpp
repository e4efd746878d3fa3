// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/logging.hpp"

#include <new>

namespace asyncio::detail {

/// log() for who must not throw: `make_text` may run out of memory. Then the record has no text,
/// and says that there was something to tell.
template <class F>
void log_guarded(LogLevel level, F make_text) noexcept {
  try {
    log(level, make_text());
  } catch (const std::bad_alloc&) {
    log(level, {});
  }
}

}  // namespace asyncio::detail
