// SPDX-License-Identifier: BSL-1.0
/// The chapter "Subprocesses" of asyncio's documentation.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/streams.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace asyncio {

/// What a child process has as stdin, stdout or stderr, if not the same as its parent.
enum class Redirection : unsigned char {
  pipe,     // a pipe to the parent
  stdout_,  // for stderr alone: where stdout goes
  devnull,  // /dev/null
};

inline constexpr Redirection PIPE = Redirection::pipe;
inline constexpr Redirection STDOUT = Redirection::stdout_;
inline constexpr Redirection DEVNULL = Redirection::devnull;

/// A user or a group, by number or by name.
class Account {
 public:
  template <std::integral T>
  Account(T number) noexcept : id_(static_cast<std::int64_t>(number)) {}
  template <std::convertible_to<std::string_view> T>
  Account(T&& name) : id_(std::string(std::string_view(name))) {}

  const std::variant<std::int64_t, std::string>& id() const noexcept { return id_; }

 private:
  std::variant<std::int64_t, std::string> id_;
};

/// How create_subprocess_exec starts a program.
class SubprocessOptions {
 public:
  /// Nothing, for the parent's; a Redirection; or a descriptor, which stays the caller's.
  using Standard = std::optional<std::pair<Redirection, int>>;

  SubprocessOptions() {}

  /// PIPE, DEVNULL or an open descriptor. By default each of the three is the parent's.
  SubprocessOptions& stdin(Redirection where) { return redirect(0, where, -1); }
  SubprocessOptions& stdin(int fd) { return redirect(0, Redirection::devnull, fd); }
  SubprocessOptions& stdout(Redirection where) { return redirect(1, where, -1); }
  SubprocessOptions& stdout(int fd) { return redirect(1, Redirection::devnull, fd); }
  /// The same, or STDOUT.
  SubprocessOptions& stderr(Redirection where) { return redirect(2, where, -1); }
  SubprocessOptions& stderr(int fd) { return redirect(2, Redirection::devnull, fd); }
  /// How much its pipes hold; what the system likes, 64 KiB as a rule, unless it is positive.
  SubprocessOptions& pipesize(int bytes) {
    pipesize_ = bytes;
    return *this;
  }
  /// How long a line of the readers may be.
  SubprocessOptions& limit(std::size_t bytes) {
    limit_ = bytes;
    return *this;
  }
  /// The program's folder, where a relative path of the program begins, too.
  SubprocessOptions& cwd(std::string folder) {
    cwd_ = std::move(folder);
    return *this;
  }
  /// All of the program's environment, and the PATH in which the program is searched.
  SubprocessOptions& env(std::map<std::string, std::string> variables) {
    env_ = std::move(variables);
    return *this;
  }
  /// The program, if it is to be told another name in the first argument; for a command line the
  /// shell.
  SubprocessOptions& executable(std::string path) {
    executable_ = std::move(path);
    return *this;
  }
  /// Descriptors that the program has under the same numbers, too. All others are closed then.
  SubprocessOptions& pass_fds(std::vector<int> fds) {
    pass_fds_ = std::move(fds);
    return *this;
  }
  /// Off: the program has every descriptor that is not close-on-exec. On by default.
  SubprocessOptions& close_fds(bool enabled) {
    close_fds_ = enabled;
    return *this;
  }
  /// Off: signals that the parent blocks or ignores are so in the program. By default none is
  /// blocked and SIGPIPE and SIGXFSZ are not ignored.
  SubprocessOptions& restore_signals(bool enabled) {
    restore_signals_ = enabled;
    return *this;
  }
  SubprocessOptions& start_new_session(bool enabled) {
    start_new_session_ = enabled;
    return *this;
  }
  /// The process group that it joins; 0 for a new one.
  SubprocessOptions& process_group(int group) {
    process_group_ = group;
    return *this;
  }
  SubprocessOptions& umask(unsigned mask) {
    umask_ = mask;
    return *this;
  }
  /// Whom the program runs as. A name is looked up when it is started.
  SubprocessOptions& user(Account id) {
    user_ = std::move(id);
    return *this;
  }
  SubprocessOptions& group(Account id) {
    group_ = std::move(id);
    return *this;
  }
  SubprocessOptions& extra_groups(std::vector<Account> ids) {
    extra_groups_ = std::move(ids);
    return *this;
  }

  const Standard& get_standard(int fd) const noexcept {
    return standard_[static_cast<std::size_t>(fd)];
  }
  int get_pipesize() const noexcept { return pipesize_; }
  std::size_t get_limit() const noexcept { return limit_; }
  const std::optional<std::string>& get_cwd() const noexcept { return cwd_; }
  const std::optional<std::map<std::string, std::string>>& get_env() const noexcept { return env_; }
  const std::optional<std::string>& get_executable() const noexcept { return executable_; }
  const std::vector<int>& get_pass_fds() const noexcept { return pass_fds_; }
  bool get_close_fds() const noexcept { return close_fds_; }
  bool get_restore_signals() const noexcept { return restore_signals_; }
  bool get_start_new_session() const noexcept { return start_new_session_; }
  const std::optional<int>& get_process_group() const noexcept { return process_group_; }
  const std::optional<unsigned>& get_umask() const noexcept { return umask_; }
  const std::optional<Account>& get_user() const noexcept { return user_; }
  const std::optional<Account>& get_group() const noexcept { return group_; }
  const std::optional<std::vector<Account>>& get_extra_groups() const noexcept {
    return extra_groups_;
  }

 private:
  SubprocessOptions& redirect(std::size_t which, Redirection where, int fd) {
    standard_[which].emplace(where, fd);
    return *this;
  }

  std::array<Standard, 3> standard_;
  int pipesize_ = -1;
  std::size_t limit_ = kDefaultLimit;
  std::optional<std::string> cwd_;
  std::optional<std::map<std::string, std::string>> env_;
  std::optional<std::string> executable_;
  std::vector<int> pass_fds_;
  std::optional<int> process_group_;
  std::optional<unsigned> umask_;
  std::optional<Account> user_;
  std::optional<Account> group_;
  std::optional<std::vector<Account>> extra_groups_;
  bool close_fds_ = true;
  bool restore_signals_ = true;
  bool start_new_session_ = false;
};

namespace detail {

class ChildState;

class [[nodiscard("co_await it")]] ProcessWait final : public Waiter {
 public:
  explicit ProcessWait(std::shared_ptr<ChildState> child) noexcept;
  bool await_ready() const noexcept;
  void await_suspend(PromiseBase& promise);
  int await_resume();
  AwaitableKind kind() const noexcept override { return AwaitableKind::process_wait; }

 private:
  std::shared_ptr<ChildState> child_;
};

}  // namespace detail

/// A child process. A handle: copies name the same one. A child whose handles are gone runs on, and
/// leaves no zombie; one that still runs when the loop is closed is killed, with a warning.
///
/// Thread   the loop's.
/// asyncio  Subprocesses, Process
class Process {
 public:
  int pid() const noexcept;
  /// The exit status; minus the number of the signal that ended it; nullopt while it runs.
  std::optional<int> returncode() const noexcept;

  /// The ends of its pipes; nullopt for what is not PIPE.
  const std::optional<StreamWriter>& stdin() const noexcept { return stdin_; }
  const std::optional<StreamReader>& stdout() const noexcept { return stdout_; }
  const std::optional<StreamReader>& stderr() const noexcept { return stderr_; }

  /// Awaits   the end of the process, not of its pipes: use `communicate` for a child that writes
  ///          more than a pipe holds.
  /// Returns  the return code.
  /// Cancel   ends the wait; the process runs on.
  detail::ProcessWait wait() const { return detail::ProcessWait(child_); }

  /// Writes `input` to its stdin and closes that, reads stdout and stderr to their ends.
  ///
  /// Awaits   those ends and that of the process.
  /// Returns  what it wrote to stdout and stderr; nothing for what is not PIPE.
  /// Cancel   ends the wait; the process runs on. Nothing is lost: called again, without input,
  ///          it goes on and returns all the output.
  Coro<std::pair<Bytes, Bytes>> communicate(Bytes input = {}) const;

  /// Does nothing to a process that has ended and was not yet waited for.
  ///
  /// Throws   ProcessLookupError if the return code is known; OSError if it is not allowed.
  void send_signal(int signal) const;
  /// SIGTERM and SIGKILL.
  void terminate() const;
  void kill() const;

  /// For the library.
  Process(std::shared_ptr<detail::ChildState> child, std::optional<StreamWriter> in,
          std::optional<StreamReader> out, std::optional<StreamReader> err)
      : child_(std::move(child)),
        stdin_(std::move(in)),
        stdout_(std::move(out)),
        stderr_(std::move(err)) {}

 private:
  std::shared_ptr<detail::ChildState> child_;
  std::optional<StreamWriter> stdin_;
  std::optional<StreamReader> stdout_;
  std::optional<StreamReader> stderr_;
};

namespace detail {

Coro<Process> create_subprocess(SubprocessOptions options, std::vector<std::string> args);

template <class... Args>
std::vector<std::string> strings(Args&&... args) {
  std::vector<std::string> all;
  all.reserve(sizeof...(args));
  (all.emplace_back(std::forward<Args>(args)), ...);
  return all;
}

}  // namespace detail

/// Starts a program with its arguments; without a slash it is searched in the PATH.
///
/// Awaits   a few iterations, as in Python; the program runs when the call returns.
/// Throws   FileNotFoundError, PermissionError or another OSError with the program or folder;
///          ValueError for a zero byte in an argument, or a number that is no user or group;
///          LookupError for the name of one that is not there; RuntimeError on a simulated loop.
/// Cancel   kills the program and waits for its end.
/// Thread   the loop's.
/// asyncio  Subprocesses, create_subprocess_exec
inline Coro<Process> create_subprocess_exec(SubprocessOptions options,
                                            std::vector<std::string> args) {
  return detail::create_subprocess(std::move(options), std::move(args));
}
template <std::convertible_to<std::string_view>... Args>
Coro<Process> create_subprocess_exec(SubprocessOptions options, std::string program,
                                     Args&&... args) {
  return detail::create_subprocess(
      std::move(options), detail::strings(std::move(program), std::forward<Args>(args)...));
}
template <std::convertible_to<std::string_view>... Args>
Coro<Process> create_subprocess_exec(std::string program, Args&&... args) {
  return create_subprocess_exec(SubprocessOptions(), std::move(program),
                                std::forward<Args>(args)...);
}

/// Starts /bin/sh, or the executable of the options, with a command line. Text of others in it
/// needs quoting (shell injection): create_subprocess_exec does not.
///
/// asyncio  Subprocesses, create_subprocess_shell
Coro<Process> create_subprocess_shell(SubprocessOptions options, std::string command);
Coro<Process> create_subprocess_shell(std::string command);

}  // namespace asyncio
