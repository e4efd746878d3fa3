// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <csignal>
#include <ctime>

namespace asyncio::detail {

/// A write to what nobody reads would end the process (R17). Against that write(2) has no flag
/// before Linux 6.18, and sendfile(2) none: SIGPIPE is blocked meanwhile, and taken back. `write`
/// returns a negative number for an error.
template <class F>
auto without_sigpipe(F write) noexcept {
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
  bool blocked = sigismember(&before, SIGPIPE) == 1;
  bool was_pending = blocked && ::sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
  auto written = write();
  int error = errno;
  timespec at_once{};
  if (written < 0 && error == EPIPE && !was_pending) ::sigtimedwait(&pipe, nullptr, &at_once);
  if (!blocked) ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return written;
}

}  // namespace asyncio::detail
