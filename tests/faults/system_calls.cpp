// SPDX-License-Identifier: BSL-1.0
// FB: small programs, on loops of every kind, while each system call in its turn fails or does less
// than it was asked to, and each wait ends late. Such a program does what it should, or says with
// an error of the system why it could not; it does not hang, and nothing is left behind.
//
// With ASYNCIO_FAULTS=all each call fails in its turn until the program comes to its end without a
// fault; else the first, the second, one in the middle and the last.
#include "asyncio/testing/faults.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "subject.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::Faults;
using asyncio::testing::SystemCall;

struct Failure {
  SystemCall call;
  int error;
};

/// What the manual pages have. Not in it is what does not end: for want of descriptors a server
/// waits (fault 56), and without epoll_wait there is no loop. Nor what is no error: communicate()
/// goes on with a process that does not read.
constexpr Failure kFailures[] = {
    {SystemCall::accept, ECONNABORTED},
    {SystemCall::bind, EADDRINUSE},
    {SystemCall::bind, EACCES},
    {SystemCall::close, EIO},
    {SystemCall::close, EINTR},
    {SystemCall::connect, ECONNREFUSED},
    {SystemCall::connect, ENETUNREACH},
    {SystemCall::epoll_create, EMFILE},
    {SystemCall::epoll_ctl, ENOSPC},
    {SystemCall::epoll_ctl, ENOMEM},
    {SystemCall::eventfd, ENFILE},
    {SystemCall::fcntl, EPERM},  // EBADF says that somebody has closed it: fault 57
    {SystemCall::getpeername, ENOTCONN},
    {SystemCall::getsockname, ENOBUFS},
    {SystemCall::getsockopt, ENOBUFS},
    {SystemCall::io_uring_enter, EAGAIN},
    {SystemCall::io_uring_setup, EMFILE},
    {SystemCall::listen, EADDRINUSE},
    {SystemCall::pidfd_open, EMFILE},
    {SystemCall::pipe2, EMFILE},
    {SystemCall::poll, ENOMEM},
    {SystemCall::read, EIO},
    {SystemCall::recv, ECONNRESET},
    {SystemCall::recv, ENOMEM},
    {SystemCall::recvfrom, ECONNREFUSED},
    {SystemCall::recvfrom, ENOMEM},
    {SystemCall::send, EPIPE},
    {SystemCall::send, ENOBUFS},
    {SystemCall::sendfile, EIO},
    {SystemCall::sendfile, EINVAL},
    {SystemCall::sendmsg, ECONNRESET},
    {SystemCall::sendmsg, ENOMEM},
    {SystemCall::sendto, EPERM},
    {SystemCall::sendto, ENOBUFS},
    {SystemCall::setsockopt, ENOPROTOOPT},
    {SystemCall::shutdown, ENOTCONN},
    {SystemCall::socket, EMFILE},
    {SystemCall::socket, EAFNOSUPPORT},
    {SystemCall::vfork, EAGAIN},
    {SystemCall::write, EIO},
    {SystemCall::ring_accept, ECONNABORTED},
    {SystemCall::file_sync, EIO},
    {SystemCall::file_open, EACCES},
    {SystemCall::ring_poll, ENOMEM},
    {SystemCall::file_read, EIO},
    {SystemCall::file_stat, EACCES},
    {SystemCall::file_write, ENOSPC},
};

constexpr SystemCall kTransfers[] = {
    SystemCall::read,    SystemCall::recv,  SystemCall::send,      SystemCall::sendfile,
    SystemCall::sendmsg, SystemCall::write, SystemCall::file_read, SystemCall::file_write,
};

constexpr SystemCall kInterrupted[] = {
    SystemCall::accept,         SystemCall::connect,   SystemCall::epoll_wait,
    SystemCall::io_uring_enter, SystemCall::poll,      SystemCall::read,
    SystemCall::recv,           SystemCall::recvfrom,  SystemCall::send,
    SystemCall::sendfile,       SystemCall::sendmsg,   SystemCall::sendto,
    SystemCall::write,          SystemCall::file_open, SystemCall::file_read,
    SystemCall::file_stat,      SystemCall::file_sync, SystemCall::file_write,
    SystemCall::waitid,
};

constexpr SystemCall kWaits[] = {
    SystemCall::accept,    SystemCall::connect,   SystemCall::poll,      SystemCall::file_sync,
    SystemCall::file_open, SystemCall::file_read, SystemCall::file_stat, SystemCall::file_write,
};

/// What becomes of an io_uring without these, and when they end early, is tested in backend/uring
/// and backend/uring_faults.
constexpr SystemCall kOfTheRing[] = {SystemCall::ring_cancel, SystemCall::ring_wake};

/// Whether there is such a call on loops of this kind.
bool has(std::string_view backend, SystemCall call) {
  switch (call) {
    case SystemCall::epoll_create:
    case SystemCall::epoll_ctl:
    case SystemCall::epoll_wait:
      return backend == "epoll";
    case SystemCall::eventfd:
    case SystemCall::fcntl:
    case SystemCall::getsockopt:
    case SystemCall::pidfd_open:
    case SystemCall::pipe2:
    case SystemCall::read:
    case SystemCall::sendfile:
    case SystemCall::vfork:
    case SystemCall::waitid:
    case SystemCall::write:
      return backend != "simulated";
    case SystemCall::io_uring_enter:
    case SystemCall::io_uring_setup:
    case SystemCall::ring_accept:
    case SystemCall::ring_poll:
      return backend == "io_uring";
    default:
      return true;
  }
}

/// Whether every error in it says what the system said, or that bytes are missing.
bool says_why(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const OSError& e) {
    return (e.error_number() != 0 || dynamic_cast<const SSLError*>(&e)) && *e.what();
  } catch (const IncompleteReadError&) {
    return true;
  } catch (const ExceptionGroup& group) {
    bool all = true;
    for (const std::exception_ptr& each : group.exceptions()) all = all && says_why(each);
    return all;
  } catch (...) {  // Judged.
    return false;
  }
}

using faults::Subject;

EventLoop loop_of(const std::string& backend, Faults& faults) {
  if (backend == "simulated") return faults.new_simulated_event_loop();
  if (backend == "io_uring") return faults.new_uring_event_loop();
  return faults.new_epoll_event_loop();
}

/// "right", "says why: ..." or what else happened.
std::string outcome_of(const Subject& subject, Faults& faults) {
  test::LogCapture log;
  RunOptions options;
  options.loop_factory([&] { return loop_of(subject.backend, faults); });
  bool begun = false, ended = false;
  std::exception_ptr of_program;
  auto main = [&]() -> Coro<> {
    begun = true;
    try {
      co_await wait_for(subject.program.run(), 5s);
    } catch (const CancelledError&) {  // by run(), which an error has left
      throw;
    } catch (...) {  // Rethrown.
      of_program = std::current_exception();
    }
    ended = true;
    if (of_program) std::rethrow_exception(of_program);
  };
  try {
    asyncio::run(main(), options);
    return "right";
  } catch (const TimeoutError&) {
    return "it hangs";
  } catch (...) {  // Described, for the test to judge.
    std::exception_ptr error = std::current_exception();
    if (begun && !ended) return "the loop ended before the program: " + describe_exception(error);
    return (says_why(error) ? "says why: " : "") + describe_exception(error);
  }
}

enum class Expected { right, right_or_reason };

class SystemCalls : public ::testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    std::string refusal = test::refusal_of(GetParam().backend);
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    expect_right();  // what the process keeps is made: certificates
    run(quiet_, [](const std::string& outcome) { ASSERT_EQ(outcome, "right"); });
  }

  void run(Faults& faults, const std::function<void(const std::string&)>& judge) {
    std::ptrdiff_t before = test::open_descriptors();
    judge(outcome_of(GetParam(), faults));
    EXPECT_EQ(test::open_descriptors(), before) << "descriptors left open (R5)";
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  }

  void expect_right() {
    Faults none;
    expect_right(none);
  }
  void expect_right(Faults& faults) {
    run(faults, [](const std::string& outcome) { EXPECT_EQ(outcome, "right"); });
  }
  void expect_right_or_reason(Faults& faults) {
    run(faults, [&](const std::string& outcome) {
      bool reason = faults.injected() > 0 && outcome.starts_with("says why: ");
      EXPECT_TRUE(outcome == "right" || reason) << outcome;
    });
  }

  /// Runs the program with `inject(faults, k)` for one k after another, of `count` that there are
  /// without faults, until there is none that fails.
  void sweep(SystemCall call, int error, std::uint64_t count,
             const std::function<void(Faults&, std::uint64_t)>& inject, Expected expected) {
    if (count == 0) return;
    std::set<std::uint64_t> sample{1, 2, count / 2 + 1, count};
    const char* wanted = std::getenv("ASYNCIO_FAULTS");
    bool all = wanted && std::string(wanted) == "all";
    const std::uint64_t most = 4 * count + 20;  // how many there are may differ from run to run
    for (std::uint64_t k = 1; k <= most; ++k) {
      if (!all && !sample.contains(k)) continue;
      SCOPED_TRACE("call " + std::to_string(static_cast<int>(call)) + ", number " +
                   std::to_string(k) + ", error " + std::to_string(error));
      Faults faults;
      inject(faults, k);
      expected == Expected::right ? expect_right(faults) : expect_right_or_reason(faults);
      if (HasFailure() || faults.injected() == 0) return;
    }
    EXPECT_FALSE(all) << "call " << static_cast<int>(call) << " fails still at the " << most
                      << "th, of " << count;
  }

  const Faults& quiet() const { return quiet_; }

 private:
  Faults quiet_;
};

TEST_P(SystemCalls, fault191_R1_R10_each_fails_in_its_turn) {
  for (auto [call, error] : kFailures) {
    int number = error;
    SystemCall which = call;
    sweep(
        call, error, quiet().calls(call),
        [=](Faults& faults, std::uint64_t k) { faults.fail(which, k, number); },
        Expected::right_or_reason);
  }
}

TEST_P(SystemCalls, fault48_fault51_fault82_short_and_interrupted_ones_change_nothing) {
  for (SystemCall call : kTransfers) {
    sweep(
        call, 0, quiet().calls(call),
        [=](Faults& faults, std::uint64_t k) { faults.shorten(call, k, 1); }, Expected::right);
    Faults always;
    always.shorten(call, 1, 100, Faults::kAlways);
    if (quiet().calls(call) > 0) expect_right(always);
  }
  for (SystemCall call : kInterrupted)
    sweep(
        call, EINTR, quiet().calls(call),
        [=](Faults& faults, std::uint64_t k) { faults.fail(call, k, EINTR, 2); }, Expected::right);
}

TEST_P(SystemCalls, R1_late_and_reordered_ends_change_nothing) {
  for (SystemCall call : kWaits) {
    sweep(
        call, 0, quiet().waits(call),
        [=](Faults& faults, std::uint64_t k) { faults.delay(call, k, 20); }, Expected::right);
    Faults always;
    always.delay(call, 1, 3, Faults::kAlways);
    if (quiet().waits(call) > 0) expect_right(always);
  }
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SCOPED_TRACE("order " + std::to_string(seed));
    Faults disorder;
    disorder.disorder(seed);
    expect_right(disorder);
  }
}

std::vector<Subject> subjects() { return faults::subjects({"epoll", "io_uring", "simulated"}); }

/// What is in the tables above in vain: without a program that makes the call.
TEST(SystemCallTables, each_call_is_made_by_a_program_on_every_loop_that_has_it) {
  std::set<SystemCall> wanted(std::begin(kTransfers), std::end(kTransfers));
  wanted.insert(std::begin(kInterrupted), std::end(kInterrupted));
  for (const Failure& failure : kFailures) wanted.insert(failure.call);
  std::set<SystemCall> not_waited_for(std::begin(kWaits), std::end(kWaits));
  for (const char* backend : {"epoll", "io_uring", "simulated"}) {
    if (!test::refusal_of(backend).empty()) continue;
    Faults quiet;
    for (const Subject& subject : subjects()) {
      if (subject.backend != backend) continue;
      EXPECT_EQ(outcome_of(subject, quiet), "right") << subject.name();
    }
    for (SystemCall call : wanted)
      EXPECT_EQ(quiet.calls(call) > 0, has(backend, call))
          << "call " << static_cast<int>(call) << " on " << backend;
    std::erase_if(not_waited_for, [&](SystemCall call) { return quiet.waits(call) > 0; });
  }
  // Which nobody waits for but an io_uring: a thread has them at once.
  const std::set<SystemCall> of_files{SystemCall::file_open, SystemCall::file_read,
                                      SystemCall::file_stat, SystemCall::file_sync,
                                      SystemCall::file_write};
  for (SystemCall call : not_waited_for)
    EXPECT_FALSE(!of_files.contains(call) || test::refusal_of("io_uring").empty())
        << "nothing waits for call " << static_cast<int>(call);
}

TEST(SystemCallTables, each_call_fails_interrupts_or_is_of_the_ring) {
  std::set<SystemCall> tested(std::begin(kOfTheRing), std::end(kOfTheRing));
  tested.insert(std::begin(kInterrupted), std::end(kInterrupted));
  for (const Failure& failure : kFailures) tested.insert(failure.call);
  EXPECT_EQ(tested.size(), static_cast<std::size_t>(SystemCall::count));
}

INSTANTIATE_TEST_SUITE_P(EveryProgram, SystemCalls, ::testing::ValuesIn(subjects()),
                         faults::subject_name);

}  // namespace
