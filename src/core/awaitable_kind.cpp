// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/awaitable_kind.hpp"

namespace asyncio::detail {

const char* awaitable_name(AwaitableKind kind) noexcept {
  switch (kind) {
    case AwaitableKind::coroutine:
      return "Coro";
    case AwaitableKind::future:
      return "Future";
    case AwaitableKind::sleep:
      return "sleep";
    case AwaitableKind::lock_acquire:
      return "Lock.acquire";
    case AwaitableKind::event_wait:
      return "Event.wait";
    case AwaitableKind::condition_wait:
      return "Condition.wait";
    case AwaitableKind::semaphore_acquire:
      return "Semaphore.acquire";
    case AwaitableKind::queue_get:
      return "Queue.get";
    case AwaitableKind::queue_put:
      return "Queue.put";
    case AwaitableKind::queue_join:
      return "Queue.join";
    case AwaitableKind::wait:
      return "wait";
    case AwaitableKind::as_completed_next:
      return "as_completed.next";
    case AwaitableKind::task_group_exit:
      return "TaskGroup.aexit";
    case AwaitableKind::generator_next:
      return "AsyncGenerator.next";
    case AwaitableKind::foreign:
      return "foreign awaiter";
    case AwaitableKind::operation:
      return "I/O operation";
    case AwaitableKind::stream_read:
      return "StreamReader.read";
    case AwaitableKind::stream_drain:
      return "StreamWriter.drain";
    case AwaitableKind::stream_wait_closed:
      return "StreamWriter.wait_closed";
    case AwaitableKind::server_wait_closed:
      return "Server.wait_closed";
    case AwaitableKind::resolve:
      return "getaddrinfo";
    case AwaitableKind::tls_handshake:
      return "StreamWriter.start_tls";
    case AwaitableKind::process_wait:
      return "Process.wait";
    case AwaitableKind::count:
      break;
  }
  return "";
}

}  // namespace asyncio::detail
