// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/asyncio.hpp"
#include "asyncio/detail/core/awaitable_kind.hpp"

#include <memory>

namespace sweep {

using asyncio::Coro;

/// One public awaitable on an object of its own, for the cancellation sweep.
class Case {
 public:
  virtual ~Case() = default;

  /// Brings the object into a state in which `operation` has to wait.
  virtual Coro<> prepare() { co_return; }
  /// Awaits the awaitable once and notes what it got.
  virtual Coro<> operation() = 0;
  /// Lets a waiting `operation` go on. A second call does nothing.
  virtual void complete() = 0;
  /// Uses the object once more, whatever became of the operation, and throws if anything was
  /// lost.
  virtual Coro<> use_again() = 0;
  /// False where a cancellation takes effect only once the awaited thing ends by itself.
  virtual bool ends_at_once() const { return true; }
};

/// The case of each kind: a switch without default, so that a new kind does not compile without.
std::unique_ptr<Case> make_case(asyncio::detail::AwaitableKind kind);

/// What a case throws if a value got lost or doubled.
void require(bool condition, const char* what);

std::unique_ptr<Case> make_stream_read();
std::unique_ptr<Case> make_stream_drain();
std::unique_ptr<Case> make_stream_wait_closed();
std::unique_ptr<Case> make_server_wait_closed();
std::unique_ptr<Case> make_connect();
std::unique_ptr<Case> make_resolve();
std::unique_ptr<Case> make_tls_handshake();
std::unique_ptr<Case> make_process_wait();

}  // namespace sweep
