// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace asyncio::detail {

/// Every public awaitable, once. The cancellation sweep has a case for each and the reference a
/// line; a new awaiter cannot be compiled without an entry here, nor an entry without its case.
enum class AwaitableKind : std::uint8_t {
  coroutine,
  future,
  sleep,
  lock_acquire,
  event_wait,
  condition_wait,
  semaphore_acquire,
  queue_get,
  queue_put,
  queue_join,
  wait,
  as_completed_next,
  task_group_exit,
  generator_next,
  foreign,
  operation,
  stream_read,
  stream_drain,
  stream_wait_closed,
  server_wait_closed,
  resolve,
  tls_handshake,
  process_wait,
  count
};

inline constexpr std::size_t kAwaitableKinds = static_cast<std::size_t>(AwaitableKind::count);

/// The name under which the documentation has it.
const char* awaitable_name(AwaitableKind kind) noexcept;

}  // namespace asyncio::detail
