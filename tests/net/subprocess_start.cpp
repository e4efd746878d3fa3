// SPDX-License-Identifier: BSL-1.0
/// A5.1: how a child is started, what it inherits, and what may prevent it.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptor_limit.hpp"
#include "subprocesses.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::error_of;
using test::output;
using test::piped;

namespace {

class SubprocessStart : public test::ChildrenTest {};
INSTANTIATE_TEST_SUITE_P(Backends, SubprocessStart, test::real_backends, test::backend_name);

Coro<std::string> error_of_starting(SubprocessOptions options, std::string program) {
  std::string text = co_await error_of(create_subprocess_exec(options, program));
  co_return text;
}

TEST_P(SubprocessStart, fault107_what_cannot_be_executed) {
  run([]() -> Coro<> {
    std::string text = co_await error_of_starting(SubprocessOptions(), "/no/such/program");
    EXPECT_EQ(text,
              "asyncio::FileNotFoundError: execute /no/such/program: No such file or directory");
    text = co_await error_of_starting(SubprocessOptions(), "no-such-program");
    EXPECT_EQ(text,
              "asyncio::FileNotFoundError: execute no-such-program: No such file or directory");
    text = co_await error_of_starting(SubprocessOptions(), "/etc/passwd");
    EXPECT_EQ(text, "asyncio::PermissionError: execute /etc/passwd: Permission denied");
    text = co_await error_of_starting(SubprocessOptions().cwd("/no/such/folder"), "true");
    EXPECT_EQ(text,
              "asyncio::FileNotFoundError: change to folder /no/such/folder: No such file or "
              "directory");
    std::string script = std::filesystem::temp_directory_path() /
                         ("asyncio-no-format-" + std::to_string(::getpid()));
    std::ofstream(script) << "no program\n";
    ::chmod(script.c_str(), 0755);
    text = co_await error_of_starting(SubprocessOptions(), script);
    std::filesystem::remove(script);
    EXPECT_EQ(text, "asyncio::OSError: execute " + script + ": Exec format error");
    std::vector<std::string> long_args(2, std::string(3 << 20, 'x'));
    long_args[0] = "true";
    text = co_await error_of(create_subprocess_exec(SubprocessOptions(), long_args));
    EXPECT_EQ(text, "asyncio::OSError: execute true: Argument list too long");
    text = co_await error_of_starting(SubprocessOptions(), std::string("a\0b", 3));
    EXPECT_EQ(text, "asyncio::ValueError: embedded null byte");
    text =
        co_await error_of_starting(SubprocessOptions().pass_fds(std::vector<int>(1, 999)), "true");
    EXPECT_EQ(text, "asyncio::OSError: prepare to execute true: Bad file descriptor");
  });
}

/// In a process of a user who may have no more of them.
TEST_P(SubprocessStart, fault107_fork_says_EAGAIN) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  pid_t child = ::fork();
  if (child == 0) {
    std::string said = asyncio::run(
        []() -> Coro<std::string> {
          constexpr rlimit kNone{0, 0};
          ::setrlimit(RLIMIT_NPROC, &kNone);
          // For root there is no limit.
          if (::geteuid() == 0) ::syscall(SYS_setresuid, 65534, 65534, 65534);
          auto before = test::open_descriptors();
          std::string text = co_await error_of_starting(piped(), "true");
          text += test::open_descriptors() == before ? ", no descriptor" : ", descriptors";
          text += ::waitpid(-1, nullptr, WNOHANG) < 0 ? ", no child" : ", a zombie";
          co_return text;
        }(),
        options());
    (void)!::write(pipe[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(pipe[1]);
  std::string said(200, '\0');
  ssize_t size = ::read(pipe[0], said.data(), said.size());
  said.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  ::close(pipe[0]);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(said,
            "asyncio::BlockingIOError: fork to execute true: Resource temporarily unavailable, no "
            "descriptor, no child");
}

TEST_P(SubprocessStart, fault183_no_descriptors_left) {
  if (test::kNeedsDescriptors) GTEST_SKIP() << "with UBSan";
  run([]() -> Coro<> {
    for (unsigned spare = 0; spare < 9; ++spare) {
      std::string text;
      {
        test::DescriptorLimit limit(spare);
        text = co_await error_of(create_subprocess_exec(piped(), "true"));
      }
      EXPECT_TRUE(text.find("Too many open files") != std::string::npos || text == "nothing")
          << spare << ": " << text;
    }
    std::string works = co_await output(SubprocessOptions(), "echo yes");
    EXPECT_EQ(works, "yes\n");
    co_await sleep(50ms);  // for the end of the one that was started
  });
}

TEST_P(SubprocessStart, fault108_descriptors_of_the_child) {
  run([]() -> Coro<> {
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        while (!stop) ::close(::open("/dev/null", O_RDONLY));  // not close-on-exec
      });
    int passed = ::open("/dev/zero", O_RDONLY | O_CLOEXEC);
    std::string expected = "0\n1\n2\n3\n" + std::to_string(passed) + "\n";
    for (int i = 0; i < 20; ++i) {
      SubprocessOptions options;
      options.stdin(DEVNULL).stderr(DEVNULL).stdout(PIPE);
      Process process = co_await create_subprocess_exec(
          options.pass_fds(std::vector<int>(1, passed)), "ls", "/proc/self/fd");
      auto [out, err] = co_await process.communicate();
      // One more is ls's own, for the folder.
      EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 5) << out;
      EXPECT_NE(out.find("\n" + std::to_string(passed) + "\n"), std::string::npos) << out;
    }
    stop = true;
    for (std::thread& thread : threads) thread.join();
    ::close(passed);
  });
}

TEST_P(SubprocessStart, fault110_what_the_child_inherits) {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &before);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGUSR1, [](int) {});
  run([]() -> Coro<> {
    auto show = [](SubprocessOptions options) -> Coro<std::string> {
      options.stdout(PIPE);
      Process process = co_await create_subprocess_exec(options, "cat", "/proc/self/status");
      auto [out, err] = co_await process.communicate();
      co_return out;
    };
    std::string status = co_await show(SubprocessOptions().umask(027));
    EXPECT_NE(status.find("SigBlk:\t0000000000000000"), std::string::npos) << status;
    EXPECT_NE(status.find("SigIgn:\t0000000000000000"), std::string::npos) << status;
    EXPECT_NE(status.find("SigCgt:\t0000000000000000"), std::string::npos) << status;
    EXPECT_NE(status.find("Umask:\t0027"), std::string::npos) << status;
    status = co_await show(SubprocessOptions().restore_signals(false));
    EXPECT_NE(status.find("SigBlk:\t0000000000000800"), std::string::npos) << status;
    EXPECT_NE(status.find("SigIgn:\t0000000000001000"), std::string::npos) << status;
  });
  ::signal(SIGUSR1, SIG_DFL);
  ::signal(SIGPIPE, SIG_DFL);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_P(SubprocessStart, A5_1_size_of_the_pipes) {
  run([]() -> Coro<> {
    SubprocessOptions options;
    options.stdin(PIPE).stdout(PIPE).pipesize(1 << 18);
    Process process = co_await create_subprocess_shell(options, "head -c 200000 /dev/zero; cat");
    EXPECT_EQ(::fcntl(process.stdin()->fileno(), F_GETPIPE_SZ), 1 << 18);
    process.stdin()->close();
    co_await wait_for(process.wait(), 30s);  // all of it has room in the pipe
    auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out.size(), 200'000u);
    std::string error = co_await error_of_starting(options.pipesize(INT_MAX), "cat");
    EXPECT_NE(error.find("pipe of 2147483647 bytes to a child process: "), std::string::npos)
        << error;
  });
}

TEST_P(SubprocessStart, A5_1_session_group_and_user) {
  run([]() -> Coro<> {
    std::string own = co_await output(SubprocessOptions(), "exec cut -d' ' -f5 /proc/self/stat");
    EXPECT_EQ(own, std::to_string(::getpgrp()) + "\n");
    auto leads = [](SubprocessOptions options) -> Coro<bool> {
      options.stdout(PIPE);
      Process process = co_await create_subprocess_exec(options, "cat", "/proc/self/stat");
      auto [out, err] = co_await process.communicate();
      std::string pid = std::to_string(process.pid());
      co_return out.find(pid + " (cat)") == 0 &&
          out.find(" " + pid + " ", pid.size()) != std::string::npos;
    };
    bool session = co_await leads(SubprocessOptions().start_new_session(true));
    EXPECT_TRUE(session);
    bool group = co_await leads(SubprocessOptions().process_group(0));
    EXPECT_TRUE(group);
    if (::geteuid() != 0) co_return;
    std::string user = co_await output(
        SubprocessOptions().user(12345).group(54321).extra_groups(std::vector<Account>(1, 77)),
        "id -u; id -g; id -G");
    EXPECT_EQ(user, "12345\n54321\n54321 77\n");
  });
}

TEST_P(SubprocessStart, A5_1_user_and_groups_by_name) {
  run([]() -> Coro<> {
    std::string text = co_await error_of_starting(SubprocessOptions().user("no-such-user"), "true");
    EXPECT_EQ(text, "asyncio::LookupError: getpwnam(): name not found: 'no-such-user'");
    text = co_await error_of_starting(SubprocessOptions().group("no-such-group"), "true");
    EXPECT_EQ(text, "asyncio::LookupError: getgrnam(): name not found: 'no-such-group'");
    text = co_await error_of_starting(SubprocessOptions().user(std::string("a\0b", 3)), "true");
    EXPECT_EQ(text, "asyncio::ValueError: embedded null byte");
    // What the system would take for "as before".
    text = co_await error_of_starting(SubprocessOptions().user(-1), "true");
    EXPECT_EQ(text, "asyncio::ValueError: User ID cannot be negative, got -1");
    text = co_await error_of_starting(SubprocessOptions().group(0xffffffffu), "true");
    EXPECT_EQ(text, "asyncio::ValueError: Group ID is too large: 4294967295");
    std::vector<Account> mixed{"daemon", 77};
    text = co_await error_of_starting(SubprocessOptions().extra_groups(std::vector<Account>(1, -7)),
                                      "true");
    EXPECT_EQ(text, "asyncio::ValueError: Group ID cannot be negative, got -7");
    if (::geteuid() != 0) co_return;
    SubprocessOptions options;
    options.user("daemon").group("daemon").extra_groups(mixed);
    text = co_await output(options, "id -un; id -gn; id -G | tr ' ' '\n' | tail -n 1");
    EXPECT_EQ(text, "daemon\ndaemon\n77\n");
  });
}

TEST_P(SubprocessStart, A5_2_another_shell) {
  run([]() -> Coro<> {
    std::string name = co_await output(SubprocessOptions().executable("/bin/bash"), "echo $0");
    EXPECT_EQ(name, "/bin/bash\n");
  });
}

/// CPython warns and closes them, too.
TEST_P(SubprocessStart, A5_1_pass_fds_closes_the_others) {
  run([]() -> Coro<> {
    int other = ::open("/dev/null", O_RDONLY);  // inherited, unless it is closed
    int passed = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    test::LogCapture log;
    SubprocessOptions options;
    options.close_fds(false);
    std::string here = "test -e /proc/self/fd/" + std::to_string(other) + "; echo $?; ";
    std::string open = co_await output(options, here);
    EXPECT_EQ(open, "0\n");
    EXPECT_EQ(log.count("pass_fds"), 0);
    options.pass_fds(std::vector<int>(1, passed));
    open = co_await output(options,
                           here + "test -e /proc/self/fd/" + std::to_string(passed) + "; echo $?");
    EXPECT_EQ(open, "1\n0\n");
    EXPECT_EQ(log.count("pass_fds overriding close_fds."), 1);
    ::close(other);
    ::close(passed);
  });
}

}  // namespace
