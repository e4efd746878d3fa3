// SPDX-License-Identifier: BSL-1.0
/// A5: create_subprocess_exec, create_subprocess_shell and Process, with real children. How they
/// are started is in subprocess_start.cpp.
#include "asyncio/asyncio.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "descriptors.hpp"
#include "subprocesses.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace asyncio;
using namespace std::chrono_literals;
using test::error_of;
using test::output;
using test::pattern;
using test::piped;

namespace {

class Subprocess : public test::ChildrenTest {};

TEST_P(Subprocess, A5_1_arguments_environment_and_folder) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_exec(piped().cwd("/usr"), "sh", "-c",
                                                      "pwd; echo \"$1\"; cat", "name", "a b");
    auto [out, err] = co_await process.communicate("input");
    EXPECT_EQ(out, "/usr\na b\ninput");
    EXPECT_EQ(err, "");
    EXPECT_EQ(process.returncode(), 0);
    std::map<std::string, std::string> env;
    env["PATH"] = "/usr/bin:/bin";
    env["ONLY"] = "this";
    Process printenv =
        co_await create_subprocess_exec(SubprocessOptions().stdout(PIPE).env(env), "env");
    auto [variables, nothing] = co_await printenv.communicate();
    EXPECT_EQ(variables, "ONLY=this\nPATH=/usr/bin:/bin\n");
  });
}

TEST_P(Subprocess, A5_4_redirections) {
  run([]() -> Coro<> {
    std::string both =
        co_await output(SubprocessOptions().stderr(STDOUT), "echo out; echo err >&2");
    EXPECT_EQ(both, "out\nerr\n");
    std::string none = co_await output(SubprocessOptions().stdin(DEVNULL), "cat; echo end");
    EXPECT_EQ(none, "end\n");
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    Process process =
        co_await create_subprocess_shell(SubprocessOptions().stdout(ends[1]), "echo to descriptor");
    co_await process.wait();
    EXPECT_FALSE(process.stdout().has_value());
    char bytes[100];
    EXPECT_EQ(::read(ends[0], bytes, sizeof bytes), 14);
    ::close(ends[0]);
    ::close(ends[1]);
    std::string wrong =
        co_await error_of(create_subprocess_exec(SubprocessOptions().stdin(STDOUT), "true"));
    EXPECT_EQ(wrong, "asyncio::ValueError: STDOUT can only be used for stderr");
  });
}

TEST_P(Subprocess, A5_4_standard_descriptors_may_change_places) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    int saved = ::fcntl(1, F_DUPFD_CLOEXEC, 3);
    ::dup2(ends[1], 1);  // our stdout is the pipe; the child's stderr is to be that
    auto starting = create_subprocess_shell(SubprocessOptions().stdout(DEVNULL).stderr(1),
                                            "echo lost; echo kept >&2");
    Process process = co_await std::move(starting);
    ::dup2(saved, 1);
    ::close(saved);
    ::close(ends[1]);
    co_await process.wait();
    char bytes[100];
    EXPECT_EQ(std::string(bytes, static_cast<std::size_t>(::read(ends[0], bytes, sizeof bytes))),
              "kept\n");
    ::close(ends[0]);
  });
}

TEST_P(Subprocess, A5_3_signals_and_their_errors) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE), "cat");
    EXPECT_GT(process.pid(), 0);
    EXPECT_EQ(process.returncode(), std::nullopt);
    std::string wrong = test::thrown([&] { process.send_signal(9999); });
    EXPECT_NE(wrong.find("signal 9999 to process"), std::string::npos) << wrong;
    process.terminate();
    int status = co_await process.wait();
    EXPECT_EQ(status, -SIGTERM);
    std::string gone = test::thrown([&] { process.kill(); });
    EXPECT_EQ(gone, "asyncio::ProcessLookupError: signal 9 to process " +
                        std::to_string(process.pid()) + ": No such process");
  });
}

TEST_P(Subprocess, fault101_ten_mebibytes_each_way) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_exec(piped(), "sh", "-c", "tee /dev/stderr");
    std::string input = pattern(10 << 20);
    auto [out, err] = co_await process.communicate(input);
    EXPECT_TRUE(out == input);
    EXPECT_TRUE(err == input);
    EXPECT_EQ(process.returncode(), 0);
  });
}

TEST_P(Subprocess, fault102_child_that_does_not_read) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_shell(piped(), "exec <&-; echo done; exit 4");
    auto [out, err] = co_await process.communicate(std::string(1 << 20, 'x'));
    EXPECT_EQ(out, "done\n");
    EXPECT_EQ(process.returncode(), 4);
    // One by one: the writer learns that nobody reads, and the process lives on.
    Process other = co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE), "true");
    co_await other.wait();
    std::string error = "nothing";
    for (int i = 0; i < 100 && error == "nothing"; ++i) {
      other.stdin()->write("into the void");
      error = co_await error_of(test::drain(*other.stdin()));
      co_await sleep(0s);
    }
    EXPECT_EQ(error, "asyncio::ConnectionResetError: Connection lost: Connection reset by peer");
  });
}

TEST_P(Subprocess, fault102_line_beyond_the_limit) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_exec(
        SubprocessOptions().stdout(PIPE).limit(1 << 20), "head", "-c", "8M", "/dev/zero");
    std::string error = "nothing";
    try {
      co_await process.stdout()->readline();
    } catch (const ValueError& e) {
      error = e.what();
    }
    EXPECT_EQ(error, "Separator is not found, and chunk exceed the limit");
    process.kill();
    co_await process.wait();
  });
}

/// Read before, since the child may fill the pipe at any time (fault 50).
TEST_P(Subprocess, fault50_no_death_by_SIGPIPE) {
  struct sigaction action{};
  ::sigaction(SIGPIPE, nullptr, &action);
  ASSERT_EQ(action.sa_handler, SIG_DFL);
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_shell(piped(), "exec <&-; echo; exec sleep 60");
    co_await process.stdout()->readline();
    process.stdin()->write("x");  // at once, before the loop has seen that nobody reads
    co_await sleep(0s);
    process.kill();
    co_await process.wait();
    sigset_t pending;
    ::sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
  });
}

/// Starts children until `left` is 0. Returns how many ended with the status they were to have.
Coro<int> children(int& left) {
  int right = 0;
  while (left > 0) {
    int status = left-- % 100;
    Process process = co_await create_subprocess_exec("sh", "-c", "exit " + std::to_string(status));
    int got = co_await process.wait();
    right += got == status;
  }
  co_return right;
}

/// 50 at once. L19 is the same with ASYNCIO_CHILDREN=10000, which takes about a minute.
TEST_P(Subprocess, fault103_L19_many_children) {
  const char* wanted = std::getenv("ASYNCIO_CHILDREN");
  const int count = wanted ? std::atoi(wanted) : 200;
  run([count]() -> Coro<> {
    int left = count;
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(create_task(children, std::ref(left)));
    auto before = test::open_descriptors();
    std::ptrdiff_t most = 0;
    int right = 0;
    for (auto& task : tasks) {
      right += co_await task;
      most = std::max(most, test::open_descriptors() - before);
    }
    EXPECT_EQ(right, count);
    EXPECT_LE(most, 50 * 8) << "descriptors: those of the children that run";
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie";
    EXPECT_EQ(errno, ECHILD);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator("/proc/self/task"), {}), 1);
  });
}

TEST_P(Subprocess, fault105_somebody_else_reaps) {
  run([]() -> Coro<> {
    test::LogCapture logged;
    Process process = co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE), "cat");
    process.kill();
    EXPECT_EQ(::waitpid(process.pid(), nullptr, 0), process.pid());
    int status = co_await process.wait();
    EXPECT_EQ(status, 255);
    EXPECT_EQ(logged.count("Unknown child process pid", "will report returncode 255"), 1);
  });
}

TEST_P(Subprocess, fault105_children_that_nobody_waits_for) {
  struct sigaction ignore{}, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGCHLD, &ignore, &before);
  run([]() -> Coro<> {
    test::LogCapture logged;
    for (int i = 0; i < 20; ++i) {
      Process process = co_await create_subprocess_exec("true");
      int status = co_await process.wait();
      EXPECT_EQ(status, 255);
    }
    EXPECT_EQ(logged.count("Unknown child process pid"), 20);
  });
  ::sigaction(SIGCHLD, &before, nullptr);
}

TEST_P(Subprocess, fault106_cancel_during_the_start_kills) {
  run([]() -> Coro<> {
    auto starting = []() -> Coro<Process> {
      co_return co_await create_subprocess_exec(piped(), "sleep", "60");
    };
    for (int hops = 1; hops < 8; ++hops) {
      Task<Process> task = create_task(starting);
      for (int i = 0; i < hops; ++i) co_await sleep(0s);
      EXPECT_FALSE(task.done());
      task.cancel();
      std::string error = co_await error_of(task);
      EXPECT_EQ(error, "cancelled");
    }
  });
}

TEST_P(Subprocess, fault106_cancel_of_wait_leaves_it_running) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_exec(SubprocessOptions().stdin(PIPE), "cat");
    auto waiting = [](Process p) -> Coro<int> { co_return co_await p.wait(); };
    std::string error = co_await error_of(wait_for(waiting(process), 10ms));
    EXPECT_NE(error.find("TimeoutError"), std::string::npos);
    process.stdin()->close();
    int status = co_await process.wait();
    EXPECT_EQ(status, 0);
  });
}

/// cpython#139373.
TEST_P(Subprocess, A5_3_fault106_communicate_survives_a_timeout) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_shell(piped(), "cat; read x; echo $x");
    std::string input = pattern(200'000);
    std::string error = co_await error_of(wait_for(process.communicate("first\n" + input), 200ms));
    EXPECT_EQ(error, "nothing");  // cat ends with its stdin
    Process slow =
        co_await create_subprocess_shell(piped(), "echo begin; sleep 0.3; echo end; cat");
    error = co_await error_of(wait_for(slow.communicate(input), 50ms));
    EXPECT_NE(error.find("TimeoutError"), std::string::npos);
    auto [out, err] = co_await slow.communicate();
    EXPECT_TRUE(out == "begin\nend\n" + input) << out.size();
    EXPECT_EQ(slow.returncode(), 0);
  });
}

/// Its stdout has ended, and was read, when the wait for its end is cancelled.
TEST_P(Subprocess, A5_3_fault106_communicate_cancelled_after_the_output) {
  run([]() -> Coro<> {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    test::OwnFd its(ends[0]), input(ends[1]);
    Process process = co_await create_subprocess_shell(
        SubprocessOptions().stdin(its.fd).stdout(PIPE).stderr(PIPE),
        "echo out; echo err >&2; exec >&-; read x; exec 2>&-; read x");
    its.close();
    for (int end = 0; end < 2; ++end) {  // of stdout alone, of both
      std::string error = co_await error_of(wait_for(process.communicate(), 100ms));
      EXPECT_NE(error.find("TimeoutError"), std::string::npos);
      EXPECT_EQ(::write(input.fd, "\n", 1), 1);
    }
    auto [out, err] = co_await process.communicate();
    EXPECT_EQ(out, "out\n");
    EXPECT_EQ(err, "err\n");
  });
}

TEST_P(Subprocess, fault109_grandchild_keeps_the_pipe) {
  run([]() -> Coro<> {
    Process process = co_await create_subprocess_shell(SubprocessOptions().stdout(PIPE),
                                                       "(sleep 0.3; echo late) & echo now");
    int status = co_await process.wait();
    EXPECT_EQ(status, 0);
    std::string line = co_await process.stdout()->readline();
    EXPECT_EQ(line, "now\n");
    line = co_await process.stdout()->readline();
    EXPECT_EQ(line, "late\n");
  });
}

TEST_P(Subprocess, fault114_loop_closes_with_a_child) {
  test::LogCapture logged;
  EventLoop loop = test::factory_of(GetParam())();
  std::optional<Process> process;
  auto start = [&]() -> Coro<> {
    process = co_await create_subprocess_exec(piped(), "sleep", "60");
  };
  loop.run_until_complete(start());
  loop.close();
  EXPECT_EQ(logged.count("is closed while its child process", "it is killed"), 1) << logged.all();
  EXPECT_EQ(process->returncode(), -SIGKILL);
  EXPECT_EQ(test::thrown([&] { process->kill(); }).find("asyncio::ProcessLookupError"), 0u);
}

TEST_P(Subprocess, A5_3_dropped_handles_leave_no_zombie) {
  run([]() -> Coro<> {
    co_await create_subprocess_exec("true");
    co_await sleep(100ms);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, Subprocess, test::real_backends, test::backend_name);

TEST(SubprocessSimulated, A5_says_that_it_cannot) {
  auto start = []() -> Coro<> { co_await create_subprocess_exec("true"); };
  EXPECT_EQ(test::thrown([&] { asyncio::testing::run_simulated(start()); }),
            "asyncio::RuntimeError: subprocesses need an event loop on the system, not a simulated "
            "one");
}

}  // namespace
