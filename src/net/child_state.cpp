// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/net/child_state.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace asyncio::detail {

namespace {

/// As CPython's, for a child that somebody else has waited for.
constexpr int kUnknownStatus = 255;

/// How long a closing loop waits for a child that it has killed.
constexpr int kKilledMilliseconds = 1000;

int send(int pidfd, int signal) noexcept {
  return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0 ? 0 : errno;
}

}  // namespace

ChildState::Exit::Exit(ChildState& owner) noexcept
    : Operation(&on_exit, Opcode::poll_readable), child(owner) {}

ChildState::Node::Node(ChildState& owner) noexcept : Ready(&on_told), child(owner) {}

// The loop outlives the child.
ChildState::ChildState(Backend& backend) : backend_(backend), exit_(*this), told_(*this) {
  loop().future_born();
}

ChildState::~ChildState() { loop().future_died(); }

void ChildState::watch(const Spawned& child) {
  pid_ = child.pid;
  exit_.fd = child.pidfd;
  bool ended = exit_.fd < 0;
  if (!ended) {
    int error = backend_.adopt(exit_.fd);
    ended = error < 0 || backend_.start(exit_);
    if (ended && error >= 0) error = static_cast<int>(exit_.result);
    if (error < 0) {
      kill_now();
      throw_os_error(-error, "watch process " + std::to_string(pid_));
    }
  }
  self_ = shared_from_this();
  backend_.add_resource(*this);
  if (ended) loop().call_ready(exit_);
}

void ChildState::on_exit(Ready& node) {
  ChildState& self = static_cast<Exit&>(static_cast<Operation&>(node)).child;
  if (self.exit_.result >= 0)
    self.reap();
  else if (!self.watched_again())
    return;
  // CPython: call_soon_threadsafe(transp._process_exited, returncode).
  self.loop().call_ready(self.told_);
}

/// Watching it has failed, for want of memory. Tries once more. Returns whether it is over by now.
bool ChildState::watched_again() {
  if (!std::exchange(watched_again_, true)) {
    if (!backend_.start(exit_)) return false;
    if (exit_.result >= 0) {
      reap();
      return true;
    }
  }
  log_guarded(LogLevel::error, [this] {
    return "process " + std::to_string(pid_) + " cannot be watched and is killed: " +
           std::generic_category().message(static_cast<int>(-exit_.result));
  });
  kill_now();
  return true;
}

/// Takes the status of a child that has ended, or is about to.
void ChildState::reap() noexcept {
  siginfo_t info{};
  int result = -1;
  if (exit_.fd >= 0) {
    do {
      result = backend_.outside(SystemCall::waitid, [&] {
        return ::waitid(P_PIDFD, static_cast<id_t>(exit_.fd), &info, WEXITED);
      });
    } while (result != 0 && errno == EINTR);
    backend_.close_fd(std::exchange(exit_.fd, -1));
  }
  if (result != 0) {
    status_ = kUnknownStatus;
    log_guarded(LogLevel::warning, [&] {
      return "Unknown child process pid " + std::to_string(pid_) + ", will report returncode " +
             std::to_string(status_);
    });
  } else {
    status_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  }
}

void ChildState::on_told(Ready& node) {
  ChildState& self = static_cast<Node&>(node).child;
  self.ended(self.status_);
}

/// CPython: BaseSubprocessTransport._process_exited.
void ChildState::ended(int returncode) {
  if (returncode_) return;
  auto keep = std::move(self_);
  Resource::unlink();
  returncode_ = returncode;
  for (Waiter& waiter : waiters_) waiter.fire();
  if (owner_) std::exchange(owner_, nullptr)->child_exited(returncode);
}

void ChildState::send_signal(int signal) {
  std::string what = "signal " + std::to_string(signal) + " to process " + std::to_string(pid_);
  if (returncode_) throw_os_error(ESRCH, what);
  if (exit_.fd < 0) return;  // it has just ended
  int error = send(exit_.fd, signal);
  if (error != 0 && error != ESRCH) throw_os_error(error, what);
}

void ChildState::kill_now() noexcept {
  send(exit_.fd, SIGKILL);
  pollfd end{exit_.fd, POLLIN, 0};
  int ended = 0;
  do {
    ended = ::poll(&end, 1, kKilledMilliseconds);
  } while (ended < 0 && errno == EINTR);
  if (ended > 0) return reap();
  backend_.close_fd(std::exchange(exit_.fd, -1));  // it is stuck in the kernel
  status_ = -SIGKILL;
}

/// CPython: BaseSubprocessTransport.close.
void ChildState::loop_closing() noexcept {
  auto keep = std::move(self_);
  if (owner_) std::exchange(owner_, nullptr)->child_abandoned();
  backend_.forget(exit_);
  told_.unlink();
  if (exit_.fd >= 0) {
    log_guarded(LogLevel::warning, [&] {
      return "the event loop is closed while its child process " + std::to_string(pid_) +
             " runs: it is killed";
    });
    kill_now();
  }
  returncode_ = status_;
}

}  // namespace asyncio::detail
