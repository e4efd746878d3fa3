// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/wait.hpp"

#include <memory>
#include <optional>
#include <string>

namespace asyncio::detail {

/// A process that was started.
struct Spawned {
  int pid = -1;
  int pidfd = -1;  // -1 if somebody else has reaped it already
};

/// Who wants to know that a child has ended.
class ChildOwner {
 public:
  virtual void child_exited(int returncode) = 0;
  /// The loop closes.
  virtual void child_abandoned() noexcept = 0;

 protected:
  ~ChildOwner() = default;
};

/// A child process and the wait for its end, on a pidfd: no thread, no SIGCHLD.
///
/// It keeps itself alive until the child has ended. CPython: unix_events.py, _PidfdChildWatcher,
/// and base_subprocess.py, BaseSubprocessTransport.
class ChildState final : public Resource, public std::enable_shared_from_this<ChildState> {
 public:
  explicit ChildState(Backend& backend);
  ~ChildState();

  /// Begins to wait for the end of the child, which is killed if that cannot be: throws OSError.
  void watch(const Spawned& child);
  int pid() const noexcept { return pid_; }
  const std::optional<int>& returncode() const noexcept { return returncode_; }
  Loop& loop() const noexcept { return backend_.loop(); }
  List<Waiter>& waiters() noexcept { return waiters_; }
  void set_owner(ChildOwner* owner) noexcept { owner_ = owner; }
  void send_signal(int signal);
  /// What communicate() has read of stdout (1) or stderr (2) and not returned yet: a call that was
  /// cancelled leaves it to the next.
  std::string& output(int fd) noexcept { return fd == 1 ? out_ : err_; }
  /// Tells who waits. A second call does nothing.
  void ended(int returncode);

 private:
  struct Exit : Operation {
    explicit Exit(ChildState& owner) noexcept;
    ChildState& child;
  };
  struct Node : Ready {
    explicit Node(ChildState& owner) noexcept;
    ChildState& child;
  };

  static void on_exit(Ready& node);
  static void on_told(Ready& node);
  void reap() noexcept;
  bool watched_again();
  void kill_now() noexcept;
  void loop_closing() noexcept override;

  Backend& backend_;
  int pid_ = -1;
  Exit exit_;
  Node told_;
  bool watched_again_ = false;
  int status_ = 0;
  std::optional<int> returncode_;
  std::string out_, err_;
  List<Waiter> waiters_;
  ChildOwner* owner_ = nullptr;
  std::shared_ptr<ChildState> self_;
};

}  // namespace asyncio::detail
