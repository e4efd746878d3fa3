// SPDX-License-Identifier: BSL-1.0
// D8: a test that fails for one seed says for which, and can be run again with it.
#include "asyncio/testing/seeds.hpp"

#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "rounds.hpp"
#include "seeds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;
using asyncio::testing::run_seeds;
using asyncio::testing::Seed;
using test::thrown;
using Numbers = std::vector<std::uint64_t>;

/// An environment without the variables that choose seeds, before and after.
class Environment {
 public:
  Environment() { clear(); }
  ~Environment() { clear(); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  void set(const char* variable, const char* value) { ::setenv(variable, value, 1); }

 private:
  static void clear() {
    ::unsetenv("SEED");
    ::unsetenv("ASYNCIO_SEEDS");
  }
};

/// The seeds that a run of `count` tries, each on a loop of its own.
Numbers seeds_of(std::uint64_t count) {
  Numbers tried;
  run_seeds(count, [&](Seed seed) -> Coro<> {
    co_await sleep(1h);
    tried.push_back(seed.number());
    EXPECT_EQ(get_running_loop().time().time_since_epoch(), 1h);
  });
  return tried;
}

TEST(Seeds, D8_each_seed_has_a_loop_of_its_own) {
  Environment environment;
  EXPECT_EQ(seeds_of(4), (Numbers{1, 2, 3, 4}));
  EXPECT_EQ(seeds_of(0), Numbers());
}

TEST(Seeds, D8_the_environment_chooses_one_or_many) {
  Environment environment;
  environment.set("ASYNCIO_SEEDS", "6");
  EXPECT_EQ(seeds_of(2).size(), 6u);
  environment.set("SEED", "18446744073709551615");
  EXPECT_EQ(seeds_of(2), (Numbers{18446744073709551615u}));
}

TEST(Seeds, D8_the_seed_that_fails_is_logged_and_ends_the_run) {
  Environment environment;
  test::LogCapture log;
  int runs = 0;
  auto fail_third = [&](Seed seed) -> Coro<> {
    ++runs;
    co_await sleep(0s);
    if (seed.number() == 3) throw ValueError("of the third");
  };
  EXPECT_EQ(thrown([&] { run_seeds(10, fail_third); }), "asyncio::ValueError: of the third");
  EXPECT_EQ(runs, 3);
  EXPECT_EQ(log.all(), "ERROR: seed 3 failed; SEED=3 runs it again\n");
}

TEST(Seeds, D8_a_seed_decides_the_order_of_ready_tasks) {
  Environment environment;
  auto order_of = [](Seed seed) {
    std::string order;
    auto note = [&](char name) -> Coro<> {
      order += name;
      co_return;
    };
    auto program = [&]() -> Coro<> { co_await gather(note('a'), note('b'), note('c'), note('d')); };
    asyncio::testing::run_simulated(seed, program);
    return order;
  };
  std::vector<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    orders.push_back(order_of(Seed(seed)));
    EXPECT_EQ(order_of(Seed(seed)), orders.back()) << "seed " << seed;
  }
  EXPECT_NE(std::ranges::count(orders, orders[0]), 20) << "always " << orders[0];
}

TEST(Seeds, D8_what_is_no_number_is_refused) {
  Environment environment;
  environment.set("SEED", "7x");
  EXPECT_EQ(thrown([] { seeds_of(1); }),
            "asyncio::ValueError: SEED in the environment is not a number: '7x'");
  environment.set("SEED", "");
  EXPECT_EQ(thrown([] { seeds_of(1); }),
            "asyncio::ValueError: SEED in the environment is not a number: ''");
}

constexpr const char* kThird = "asyncio ERROR: seed 3 failed; SEED=3 runs it again\n";

/// Runs ten seeds; the third one does `what`.
void third_does(const std::function<void()>& what) {
  Environment environment;
  run_seeds(10, [&](Seed seed) -> Coro<> {
    co_await sleep(1s);
    if (seed.number() == 3) what();
  });
}

void touch_a_forbidden_page() {
  void* page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile int*>(page) = 1;
}

/// Until the stack ends.
int descend(int depth) {
  volatile char room[1024];
  room[0] = static_cast<char>(depth % 100);
  return depth < 0 ? 0 : descend(depth + 1) + room[0];
}

/// As without run_seeds: a sanitizer makes an exit status of a fault.
bool died_of_a_fault(int status) {
  if (test::kSanitized) return WIFEXITED(status) && WEXITSTATUS(status) != 0;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

TEST(SeedCrashes, D8_abort_names_the_seed) {
  EXPECT_EXIT(third_does([] { std::abort(); }), ::testing::KilledBySignal(SIGABRT), kThird);
}

TEST(SeedCrashes, D8_terminate_names_the_seed) {
  const std::function<void()> fail = [] { throw ValueError("nobody can catch this"); };
  auto fail_in_noexcept = [&]() noexcept { fail(); };
  EXPECT_EXIT(third_does(fail_in_noexcept), ::testing::KilledBySignal(SIGABRT), kThird);
}

TEST(SeedCrashes, D8_a_segmentation_fault_names_the_seed) {
  EXPECT_EXIT(third_does(touch_a_forbidden_page), died_of_a_fault, kThird);
}

TEST(SeedCrashes, D8_the_end_of_the_stack_names_the_seed) {
  EXPECT_EXIT(third_does([] { descend(1); }), died_of_a_fault, kThird);
}

TEST(SeedCrashes, D8_a_signal_from_outside_names_the_seed) {
  EXPECT_EXIT(third_does([] { ::kill(::getpid(), SIGABRT); }), ::testing::KilledBySignal(SIGABRT),
              kThird);
}

TEST(SeedCrashes, D8_a_crash_in_another_thread_names_the_seed) {
  Environment environment;
  auto abort_elsewhere = []() -> Coro<> { co_await to_thread([] { std::abort(); }); };
  EXPECT_EXIT(run_seeds(1, abort_elsewhere), ::testing::KilledBySignal(SIGABRT),
              "seed 1 failed; SEED=1 runs it again");
}

TEST(SeedCrashes, D8_an_error_that_a_sanitizer_finds_names_the_seed) {
  if (!test::kAddressSanitizer) GTEST_SKIP() << "there is no sanitizer";
  auto read_behind_the_end = [] {
    volatile int behind = 1;
    const std::vector<int> one(1);
    volatile int read = one.data()[behind];
    static_cast<void>(read);
  };
  EXPECT_EXIT(third_does(read_behind_the_end), died_of_a_fault,
              "ERROR: AddressSanitizer: heap-buffer-overflow");
  EXPECT_EXIT(third_does(read_behind_the_end), died_of_a_fault, kThird);
}

void handler_before(int) {
  constexpr std::string_view text = "the handler before";
  if (::write(STDERR_FILENO, text.data(), text.size()) > 0) ::_exit(7);
}

TEST(SeedCrashes, D8_the_handler_before_has_the_crash_behind_the_seed) {
  for (int number : {SIGABRT, SIGSEGV}) {
    auto crash = [number] {
      std::signal(number, handler_before);
      third_does(number == SIGABRT ? [] { std::abort(); } : touch_a_forbidden_page);
    };
    EXPECT_EXIT(crash(), ::testing::ExitedWithCode(7), std::string(kThird) + "the handler before$");
  }
}

TEST(SeedCrashes, D8_handlers_and_signal_stack_are_back_behind_the_seeds) {
  auto handlers = [] {
    std::vector<void (*)(int)> all;
    for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
      struct sigaction current{};
      ::sigaction(number, nullptr, &current);
      all.push_back(current.sa_handler);
    }
    return all;
  };
  auto signal_stack = [] {
    stack_t current{};
    ::sigaltstack(nullptr, &current);
    return current.ss_flags;
  };
  const auto before = handlers();
  const int stack_before = signal_stack();
  third_does([&] {
    EXPECT_NE(handlers(), before);
    EXPECT_EQ(signal_stack(), 0);
  });
  EXPECT_EQ(handlers(), before);
  EXPECT_EQ(signal_stack(), stack_before);
}

TEST(SeedCrashes, D8_a_seed_of_the_past_is_not_named) {
  auto abort_behind_the_seeds = [] {
    third_does([] {});
    std::abort();
  };
  EXPECT_EXIT(abort_behind_the_seeds(), ::testing::KilledBySignal(SIGABRT), "^$");
}

TEST(SeedCrashes, D8_the_seeds_of_our_own_tests_are_named) {
  Environment environment;
  auto crash = []() -> Coro<> {
    co_await sleep(1s);
    std::abort();
  };
  auto abort_third = [&](std::uint64_t seed) {
    if (seed == 3) asyncio::testing::run_simulated(Seed(7), crash);
  };
  EXPECT_EXIT(test::for_each_seed(abort_third), ::testing::KilledBySignal(SIGABRT), kThird);
}

TEST(SeedCrashes, D8_a_simulated_run_names_its_seed) {
  auto crash = []() -> Coro<> {
    co_await sleep(1s);
    std::abort();
  };
  EXPECT_EXIT(asyncio::testing::run_simulated(crash(), 7), ::testing::KilledBySignal(SIGABRT),
              "seed 7 failed; run_simulated with seed 7 runs it again");
  EXPECT_EXIT(asyncio::testing::run_simulated(Seed(8), crash), ::testing::KilledBySignal(SIGABRT),
              "seed 8 failed; run_simulated with seed 8 runs it again");
  EXPECT_EXIT(asyncio::testing::run_simulated(crash), ::testing::KilledBySignal(SIGABRT), "^$");
}

TEST(Seeds, D8_a_simulated_run_that_throws_names_its_seed_once) {
  Environment environment;
  auto fail = []() -> Coro<> {
    co_await sleep(1s);
    throw ValueError("of the test");
  };
  auto log_of = [&](auto run) {
    test::LogCapture log;
    EXPECT_EQ(thrown(run), "asyncio::ValueError: of the test");
    return log.all();
  };
  const std::string line = "ERROR: seed 7 failed; run_simulated with seed 7 runs it again\n";
  EXPECT_EQ(log_of([&] { asyncio::testing::run_simulated(fail(), 7); }), line);
  EXPECT_EQ(log_of([&] { asyncio::testing::run_simulated(Seed(7), fail); }), line);
  EXPECT_EQ(log_of([&] { asyncio::testing::run_simulated(fail()); }), "") << "nothing was chosen";
}

TEST(Seeds, D8_an_error_that_nobody_awaits_is_logged_with_its_seed) {
  Environment environment;
  test::LogCapture log;
  run_seeds(3, [](Seed seed) -> Coro<> {
    auto fail = []() -> Coro<> {
      co_await sleep(0s);
      throw ValueError("of nobody");
    };
    if (seed.number() == 2) create_task(fail);
    co_await sleep(1s);
  });
  ASSERT_EQ(log.records.size(), 2u) << log.all();
  EXPECT_NE(log.records[0].message.find("never retrieved"), std::string::npos) << log.all();
  EXPECT_EQ(log.records[1].message, "seed 2 is under way; SEED=2 runs it again");
}

TEST(Seeds, D8_an_exception_handler_of_the_test_makes_a_failure_of_such_an_error) {
  Environment environment;
  test::LogCapture log;
  auto fail_second = [](Seed seed) -> Coro<> {
    std::exception_ptr unawaited;
    get_running_loop().set_exception_handler(
        [&](EventLoop, const ExceptionContext& context) { unawaited = context.exception; });
    auto fail = []() -> Coro<> {
      co_await sleep(0s);
      throw ValueError("of nobody");
    };
    if (seed.number() == 2) create_task(fail);
    co_await sleep(1s);
    get_running_loop().set_exception_handler({});
    if (unawaited) std::rethrow_exception(unawaited);
  };
  EXPECT_EQ(thrown([&] { run_seeds(3, fail_second); }), "asyncio::ValueError: of nobody");
  EXPECT_EQ(log.all(), "ERROR: seed 2 failed; SEED=2 runs it again\n");
}

}  // namespace
