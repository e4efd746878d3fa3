// SPDX-License-Identifier: BSL-1.0
// An io_uring that is full, that fails, or that cannot be had at all.
#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"
#include "asyncio/threads.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "probe.hpp"
#include "uring.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <fcntl.h>
#include <functional>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <optional>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;
using detail::Opcode;
using test::backend;
using test::Probe;
using test::turns;
using test::until;

class UringFaults : public test::UringTest {};

Coro<std::string> echo_of(std::uint16_t port, std::string text) {
  auto [reader, writer] = co_await open_connection("127.0.0.1", port);
  co_await writer.send(text);
  std::string echo = co_await reader.readexactly(text.size());
  writer.close();
  co_await writer.wait_closed();
  co_return echo;
}

/// All that a loop does for sockets, for so many clients at once, while threads wake it.
Coro<> serve(int clients) {
  auto handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
    while (true) {
      std::string some = co_await reader.read(1 << 14);
      if (some.empty()) co_return;
      co_await writer.send(some);
    }
  };
  Server server = co_await start_server(handler, "127.0.0.1", 0);
  std::uint16_t port = server.sockets().at(0).port();
  std::vector<Task<std::string>> tasks;
  for (int i = 0; i < clients; ++i)
    tasks.push_back(create_task(echo_of, port, test::pattern(2000, static_cast<unsigned>(i))));
  for (int i = 0; i < 3; ++i) co_await to_thread([] {});
  for (int i = 0; i < clients; ++i) {
    std::string echo = co_await tasks[static_cast<std::size_t>(i)];
    EXPECT_EQ(echo == test::pattern(2000, static_cast<unsigned>(i)), true);
  }
  server.close();
  co_await server.wait_closed();
}

// --- Full, or failing -------------------------------------------------------------------------

TEST_F(UringFaults, fault78_room_for_four_requests_and_eight_completions) {
  run([] { return serve(60); }, 4, 8);
  run([] { return serve(60); }, 1, 2);
}

TEST_F(UringFaults, fault78_requests_that_are_not_taken_are_submitted_again) {
  for (int error : {EAGAIN, EBUSY, ENOMEM, EINTR}) {
    std::uint64_t first = 2;  // the first call tries the ring out
    for (bool injected = true; injected; ++first) {
      Faults refusing;
      refusing.fail(SystemCall::io_uring_enter, first, error, 2);
      RunOptions options;
      options.loop_factory([&] { return refusing.new_uring_event_loop(8, 16); });
      asyncio::run(options, [] { return serve(5); });
      injected = refusing.injected() > 0;
    }
    EXPECT_GT(first, 5u);
  }
}

/// R8: while the kernel takes nothing, timers still fire, and the loop does not spin.
TEST_F(UringFaults, R8_fault78_a_kernel_without_memory) {
  run([&]() -> Coro<> {
    test::Connected both = co_await test::connected();
    auto reading = create_task(test::read_exactly, both.reader(), 3);
    co_await turns(2);
    std::uint64_t calls = faults.calls(SystemCall::io_uring_enter);
    faults.fail(SystemCall::io_uring_enter, calls + 1, EAGAIN, Faults::kAlways);
    both.peer_writer().write("abc");
    TimePoint began = get_running_loop().time();
    co_await sleep(200ms);
    EXPECT_LT(get_running_loop().time() - began, 400ms);
    EXPECT_LE(faults.calls(SystemCall::io_uring_enter) - calls, 60u);
    faults.relent();
    std::string got = co_await reading;
    EXPECT_EQ(got, "abc");
    co_await both.close();
  });
}

/// tokio #8255: a request that the kernel has not taken yet still names memory.
TEST_F(UringFaults, R3_fault78_no_request_is_left_behind) {
  test::Folder folder;
  std::string path = folder.file("file");
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  EXPECT_EQ(::write(fd, "0123456789", 10), 10);
  run([&]() -> Coro<> {
    co_await turns(2);
    for (bool forget : {true, false}) {
      std::uint64_t calls = faults.calls(SystemCall::io_uring_enter);
      faults.fail(SystemCall::io_uring_enter, calls + 1, EAGAIN, Faults::kAlways);
      std::string room(10, ' ');
      int pair[2];
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
      Probe read(Opcode::read, fd, room);
      read.offset = 0;
      Probe recv(Opcode::recv, pair[0], room);
      EXPECT_FALSE(backend().start(read));
      EXPECT_FALSE(backend().start(recv));
      co_await turns(3);  // they are in the ring, which the kernel does not look at
      EXPECT_EQ(read.ends, 0);
      if (forget) {
        backend().forget(read);
        backend().forget(recv);
      } else {
        backend().cancel(read);
        backend().cancel(recv);
        co_await until(read);
        EXPECT_EQ(read.result, -ECANCELED);
      }
      EXPECT_EQ(backend().close_fd(pair[0]), 0);
      char byte = 0;
      EXPECT_EQ(::recv(pair[1], &byte, 1, 0), 0);
      faults.relent();
      co_await turns(5);
      EXPECT_EQ(room, std::string(10, ' '));
      EXPECT_EQ(read.ends, forget ? 0 : 1);
      ::close(pair[1]);
    }
  });
  ::close(fd);
}

/// The kernel stops taking requests while the loop comes to its end.
TEST_F(UringFaults, fault78_a_loop_stops_over_requests_that_were_not_taken) {
  EventLoop loop = faults.new_uring_event_loop();
  std::optional<test::Connected> both;
  auto begin = [&]() -> Coro<> {
    both = co_await test::connected();
    co_await turns(2);
    faults.fail(SystemCall::io_uring_enter, faults.calls(SystemCall::io_uring_enter) + 1, EAGAIN,
                3);
    auto reading = create_task(test::read_exactly, both->reader(), 3);
    co_await turns(2);
    reading.cancel();
  };
  loop.run_until_complete(begin());
  auto end = [&]() -> Coro<> {
    both->peer_writer().write("abc");
    std::string got = co_await both->reader().readexactly(3);
    EXPECT_EQ(got, "abc");
    co_await both->close();
  };
  loop.run_until_complete(end());
  both.reset();
  loop.close();
}

TEST_F(UringFaults, completions_in_any_order) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    faults.disorder(seed);
    run([] { return serve(20); });
  }
}

// --- Kernels that know less -------------------------------------------------------------------

TEST_F(UringFaults, fault79_older_kernels) {
  for (std::uint64_t modes = 1; modes <= 2; ++modes) {
    Faults old;
    old.fail(SystemCall::io_uring_setup, 1, EINVAL, modes);
    RunOptions options;
    options.loop_factory([&] {
      EventLoop loop = old.new_uring_event_loop();
      EXPECT_EQ(loop.backend_name(), "io_uring");
      return loop;
    });
    asyncio::run(options, [] { return serve(20); });
    EXPECT_EQ(old.calls(SystemCall::io_uring_setup), modes + 1);
  }
}

TEST_F(UringFaults, fault79_a_single_request_that_the_kernel_does_not_know) {
  faults.lack(SystemCall::ring_accept).lack(SystemCall::file_stat).lack(SystemCall::file_read);
  run([&]() -> Coro<> {
    EXPECT_FALSE(backend().supports(Opcode::statx));
    EXPECT_TRUE(backend().supports(Opcode::openat));
    std::string room(10, ' ');
    for (Opcode opcode : {Opcode::statx, Opcode::read}) {
      Probe probe(opcode, 0, room);
      probe.offset = 0;
      EXPECT_TRUE(backend().start(probe));
      EXPECT_EQ(probe.result, -EOPNOTSUPP);
      EXPECT_EQ(backend().attempt(probe), -EOPNOTSUPP);
    }
    co_await serve(20);
  });
  EXPECT_EQ(faults.calls(SystemCall::ring_accept), 0u);
  EXPECT_GE(faults.calls(SystemCall::accept), 20u);
}

// --- No io_uring ------------------------------------------------------------------------------

/// Runs `check` in a process of its own, which says what is wrong and ends with a status.
int in_child(const std::function<void()>& check) {
  std::fflush(nullptr);
  pid_t child = ::fork();
  if (child == 0) {
    check();
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

/// Makes two loops. They must work, on epoll, and say why once.
void expect_fallback(const LoopFactory& factory, const std::string& reason) {
  test::LogCapture log;
  for (int i = 0; i < 2; ++i) {
    RunOptions options;
    options.loop_factory([&] {
      EventLoop loop = factory();
      EXPECT_EQ(loop.backend_name(), "epoll");
      return loop;
    });
    asyncio::run(options, [] { return serve(3); });
  }
  EXPECT_EQ(log.records.size(), 1u) << log.all();
  EXPECT_EQ(log.count("io_uring cannot be used, event loops are on epoll: " + reason), 1)
      << log.all();
}

TEST_F(UringFaults, D9_fault79_setup_fails) {
  for (int error : {EPERM, ENOSYS, ENOMEM, EINVAL}) {
    EXPECT_EQ(in_child([&] {
                faults.fail(SystemCall::io_uring_setup, 1, error, Faults::kAlways);
                expect_fallback([&] { return faults.new_uring_event_loop(); }, "io_uring_setup: ");
              }),
              0);
  }
}

TEST_F(UringFaults, D9_fault79_too_little_to_work_with) {
  for (SystemCall call : {SystemCall::io_uring_enter, SystemCall::ring_poll,
                          SystemCall::ring_cancel, SystemCall::ring_wake}) {
    EXPECT_EQ(in_child([&] {
                faults.lack(call);
                expect_fallback([&] { return faults.new_uring_event_loop(); },
                                "the io_uring of this kernel is too old (Linux 5.13 is needed)");
              }),
              0);
  }
}

/// From here on the system call fails with EPERM, as containers have it.
void refuse(long call) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{std::size(program), program};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

TEST_F(UringFaults, D9_fault79_refused_by_seccomp) {
  struct Case {
    long call;
    std::string reason;
  };
  Case cases[] = {
      {SYS_io_uring_setup,
       "io_uring_setup: Operation not permitted (a seccomp filter, such as a"
       " container's)"},
      {SYS_io_uring_register, "io_uring_register is refused"},
      {SYS_io_uring_enter, "io_uring_enter: Operation not permitted"},
  };
  for (const Case& refused : cases) {
    EXPECT_EQ(in_child([&] {
                refuse(refused.call);
                ::setenv("ASYNCIO_BACKEND", "io_uring", 1);
                expect_fallback(new_event_loop, refused.reason);
              }),
              0)
        << refused.reason;
  }
}

/// No memory may be locked, and no capability helps: on this kernel or a fallback, it works.
TEST_F(UringFaults, fault186_no_locked_memory) {
  EXPECT_EQ(in_child([] {
              rlimit none{0, 0};
              ASSERT_EQ(::setrlimit(RLIMIT_MEMLOCK, &none), 0);
              if (::geteuid() == 0) {
                ASSERT_EQ(::setresuid(65534, 65534, 65534), 0);
              }
              test::LogCapture log;
              RunOptions options;
              std::string name;
              options.loop_factory([&] {
                EventLoop loop = new_uring_event_loop();
                name = loop.backend_name();
                return loop;
              });
              asyncio::run(options, [] { return serve(20); });
              EXPECT_EQ(log.records.size(), name == "io_uring" ? 0u : 1u) << log.all();
            }),
            0);
}

}  // namespace
