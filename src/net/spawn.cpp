// SPDX-License-Identifier: BSL-1.0
// Starts programs. Order follows CPython's Modules/_posixsubprocess.c.
#include "spawn.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <limits>
#include <linux/close_range.h>
#include <pwd.h>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace asyncio::detail {

namespace {

/// What a child that could not become the program says.
struct Failure {
  enum Step : int { execute, change_folder, prepare };
  int error;
  Step step;
};

/// Everything the child needs, made before it exists: it shares its parent's memory until it has
/// become the program, so it must not allocate.
struct Plan {
  std::vector<std::string> programs;  // to try in order
  std::vector<std::string> variables;
  std::vector<char*> argv;
  std::vector<char*> envp;
  char** environment = nullptr;
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::vector<gid_t> groups;
  std::array<int, 3> standard{};
  const SubprocessOptions* options = nullptr;
  int report = -1;
};

// --- In the child: system calls only ----------------------------------------------------------

[[noreturn]] void fail(const Plan& plan, Failure::Step step, int error) noexcept {
  Failure failure{error, step};
  // If even this fails, the parent sees a child that ends with status 255.
  [[maybe_unused]] ssize_t written = ::write(plan.report, &failure, sizeof failure);
  ::_exit(255);
}

void prepared(const Plan& plan, bool success) noexcept {
  if (!success) fail(plan, Failure::prepare, errno);
}

/// A handler of the parent's must not run here, with the parent's memory.
void drop_handlers(bool restore) noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action{};
    if (::sigaction(signal, nullptr, &action) != 0) continue;
    bool ignored = action.sa_handler == SIG_IGN;
    bool restored = restore && (signal == SIGPIPE || signal == SIGXFSZ);
    if (action.sa_handler == SIG_DFL || (ignored && !restored)) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
}

void place_standard_descriptors(const Plan& plan) noexcept {
  std::array<int, 3> from = plan.standard;
  // What another one is to be moved to must not be overwritten before it is moved itself.
  for (int i = 0; i < 3; ++i) {
    int& fd = from[static_cast<std::size_t>(i)];
    if (fd < 0 || fd > 2 || fd == i) continue;
    fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    prepared(plan, fd >= 0);
  }
  for (int i = 0; i < 3; ++i) {
    int fd = from[static_cast<std::size_t>(i)];
    if (fd == i)
      prepared(plan, ::fcntl(fd, F_SETFD, 0) >= 0);
    else if (fd >= 0)
      prepared(plan, ::dup2(fd, i) >= 0);
  }
}

void leave_descriptors(const Plan& plan) noexcept {
  // As in Python, which closes the others if any is to be passed.
  bool close_others = plan.options->get_close_fds() || !plan.options->get_pass_fds().empty();
  if (close_others && ::syscall(SYS_close_range, 3u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = 3; fd < static_cast<int>(limit.rlim_cur); ++fd) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  for (int fd : plan.options->get_pass_fds()) prepared(plan, ::fcntl(fd, F_SETFD, 0) >= 0);
}

/// By system calls: the C library's functions would change all threads of the parent.
void change_user(const Plan& plan) noexcept {
  if (plan.options->get_extra_groups())
    prepared(plan, ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) == 0);
  if (plan.group) prepared(plan, ::syscall(SYS_setregid, *plan.group, *plan.group) == 0);
  if (plan.user) prepared(plan, ::syscall(SYS_setreuid, *plan.user, *plan.user) == 0);
}

[[noreturn]] void become_program(const Plan& plan) noexcept {
  int error = 0;
  for (const std::string& program : plan.programs) {
    ::execve(program.c_str(), plan.argv.data(), plan.environment);
    if (errno != ENOENT && errno != ENOTDIR && error == 0) error = errno;
  }
  fail(plan, Failure::execute, error ? error : errno);
}

[[noreturn]] void run_child(const Plan& plan, const sigset_t& mask) noexcept {
  const SubprocessOptions& options = *plan.options;
  place_standard_descriptors(plan);
  if (options.get_cwd() && ::chdir(options.get_cwd()->c_str()) != 0)
    fail(plan, Failure::change_folder, errno);
  if (options.get_umask()) ::umask(*options.get_umask());
  drop_handlers(options.get_restore_signals());
  if (options.get_start_new_session()) prepared(plan, ::setsid() >= 0);
  if (options.get_process_group()) prepared(plan, ::setpgid(0, *options.get_process_group()) == 0);
  change_user(plan);
  leave_descriptors(plan);
  sigset_t restored = mask;
  if (options.get_restore_signals()) sigemptyset(&restored);
  ::sigprocmask(SIG_SETMASK, &restored, nullptr);
  become_program(plan);
}

// --- In the parent ----------------------------------------------------------------------------

/// In a function of its own: what the child does to its stack must not matter to the parent.
[[gnu::noinline]] pid_t start_child(const Plan& plan, const sigset_t& mask) noexcept {
  pid_t pid = ::vfork();
  if (pid == 0) run_child(plan, mask);
  return pid;
}

/// With all signals blocked, so that no handler of the parent runs in the child.
pid_t start_child_without_signals(const Plan& plan) noexcept {
  sigset_t all, mask;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &mask);
  pid_t pid = start_child(plan, mask);
  int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  errno = error;
  return pid;
}

void check_text(const std::string& text) {
  if (text.find('\0') != std::string::npos) throw ValueError("embedded null byte");
}

char* in_place(const std::string& text) { return const_cast<char*>(text.c_str()); }

/// CPython: os.get_exec_path.
std::string search_path(const SubprocessOptions& options) {
  if (options.get_env()) {
    auto found = options.get_env()->find("PATH");
    return found == options.get_env()->end() ? "/bin:/usr/bin" : found->second;
  }
  const char* path = std::getenv("PATH");
  return path ? path : "/bin:/usr/bin";
}

std::vector<std::string> candidates(const std::string& program, const SubprocessOptions& options) {
  std::vector<std::string> found;
  if (program.find('/') != std::string::npos) {
    found.push_back(program);
    return found;
  }
  std::string path = search_path(options);
  for (std::size_t begin = 0; begin <= path.size();) {
    std::size_t end = std::min(path.find(':', begin), path.size());
    std::string folder = path.substr(begin, end - begin);
    found.push_back(folder.empty() ? program : folder + "/" + program);
    begin = end + 1;
  }
  return found;
}

void fill_environment(Plan& plan) {
  const auto& env = plan.options->get_env();
  plan.environment = ::environ;
  if (!env) return;
  for (const auto& [name, value] : *env) {
    if (name.empty() || name.find('=') != std::string::npos)
      throw ValueError("illegal environment variable name");
    check_text(name);
    check_text(value);
    plan.variables.push_back(name + "=" + value);
  }
  for (const std::string& variable : plan.variables) plan.envp.push_back(in_place(variable));
  plan.envp.push_back(nullptr);
  plan.environment = plan.envp.data();
}

/// The number of a user or group, by getpwnam_r or getgrnam_r.
template <class Entry>
unsigned look_up(int (*function)(const char*, Entry*, char*, std::size_t, Entry**),
                 unsigned Entry::* number, const char* what, const std::string& name) {
  check_text(name);
  std::vector<char> room(1024);
  while (true) {
    Entry entry{};
    Entry* found = nullptr;
    int error = function(name.c_str(), &entry, room.data(), room.size(), &found);
    if (error == ERANGE) {
      room.resize(room.size() * 2);
      continue;
    }
    if (found) return entry.*number;
    constexpr std::array kNotThere{0, ENOENT, ESRCH, EBADF, EPERM};  // see getpwnam(3)
    if (std::ranges::find(kNotThere, error) == kNotThere.end())
      throw_os_error(error, what + (" " + name));
    throw LookupError(what + ("(): name not found: '" + name + "'"));
  }
}

/// -1 would mean "as before" to the system: a program would keep the rights it was to lose.
unsigned number_of(std::int64_t id, const char* what) {
  if (id < 0)
    throw ValueError(std::string(what) + " ID cannot be negative, got " + std::to_string(id));
  if (id >= std::numeric_limits<std::uint32_t>::max())
    throw ValueError(std::string(what) + " ID is too large: " + std::to_string(id));
  return static_cast<unsigned>(id);
}

uid_t user_of(const Account& user) {
  if (const auto* name = std::get_if<std::string>(&user.id()))
    return look_up<passwd>(&::getpwnam_r, &passwd::pw_uid, "getpwnam", *name);
  return number_of(std::get<std::int64_t>(user.id()), "User");
}

gid_t group_of(const Account& group) {
  if (const auto* name = std::get_if<std::string>(&group.id()))
    return look_up<::group>(&::getgrnam_r, &::group::gr_gid, "getgrnam", *name);
  return number_of(std::get<std::int64_t>(group.id()), "Group");
}

void fill_accounts(Plan& plan) {
  const SubprocessOptions& options = *plan.options;
  if (options.get_group()) plan.group = group_of(*options.get_group());
  if (options.get_extra_groups())
    for (const Account& group : *options.get_extra_groups()) plan.groups.push_back(group_of(group));
  if (options.get_user()) plan.user = user_of(*options.get_user());
}

void fill(Plan& plan, const SubprocessOptions& options, const std::vector<std::string>& args) {
  if (args.empty()) throw ValueError("a program is needed");
  plan.options = &options;
  for (const std::string& arg : args) {
    check_text(arg);
    plan.argv.push_back(in_place(arg));
  }
  plan.argv.push_back(nullptr);
  if (options.get_cwd()) check_text(*options.get_cwd());
  plan.programs = candidates(options.get_executable().value_or(args.front()), options);
  for (const std::string& program : plan.programs) check_text(program);
  fill_accounts(plan);
  if (!options.get_close_fds() && !options.get_pass_fds().empty())
    log(LogLevel::warning, "pass_fds overriding close_fds.");
  fill_environment(plan);
}

[[noreturn]] void throw_failure(const Failure& failure, const SubprocessOptions& options,
                                const std::string& program) {
  switch (failure.step) {
    case Failure::change_folder:
      throw_os_error(failure.error, "change to folder " + *options.get_cwd());
    case Failure::execute:
      throw_os_error(failure.error, "execute " + program);
    default:
      throw_os_error(failure.error, "prepare to execute " + program);
  }
}

/// A pipe whose writing end is not in the place of a standard descriptor.
bool open_report(Backend& backend, int (&report)[2]) noexcept {
  auto make = [&] { return ::pipe2(report, O_CLOEXEC); };
  if (backend.outside(SystemCall::pipe2, make) != 0) return false;
  if (report[1] > 2) return true;
  int low = report[1];
  report[1] = ::fcntl(low, F_DUPFD_CLOEXEC, 3);
  int error = errno;
  ::close(low);
  if (report[1] < 0) ::close(report[0]);
  errno = error;
  return report[1] >= 0;
}

/// Waits for the end of a child that ends by itself.
void reap(pid_t pid) noexcept {
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
}

/// Reads what the child has to say; false if it has become the program.
bool has_failed(int report, Failure& failure) noexcept {
  ssize_t count = 0;
  do {
    count = ::read(report, &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  return count == sizeof failure;
}

}  // namespace

Spawned spawn_process(Backend& backend, const SubprocessOptions& options,
                      const std::vector<std::string>& args, const std::array<int, 3>& standard) {
  Plan plan;
  fill(plan, options, args);
  plan.standard = standard;
  std::string program = options.get_executable().value_or(args.front());
  int report[2];
  if (!open_report(backend, report)) throw_os_error(errno, "pipe to execute " + program);
  plan.report = report[1];
  Spawned child;
  child.pid = backend.outside(SystemCall::vfork, [&] { return start_child_without_signals(plan); });
  int error = errno;
  ::close(report[1]);
  Failure failure{};
  bool failed = child.pid >= 0 && has_failed(report[0], failure);
  ::close(report[0]);
  if (child.pid < 0) throw_os_error(error, "fork to execute " + program);
  if (failed) {
    reap(child.pid);
    throw_failure(failure, options, program);
  }
  child.pidfd = backend.outside(SystemCall::pidfd_open, [&] {
    return static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0));
  });
  if (child.pidfd < 0 && errno != ESRCH) {
    error = errno;
    ::kill(child.pid, SIGKILL);
    reap(child.pid);
    throw_os_error(error, "pidfd_open for " + program);
  }
  return child;
}

}  // namespace asyncio::detail
