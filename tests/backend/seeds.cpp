// SPDX-License-Identifier: BSL-1.0
// D8: a test that fails for one seed says for which, and can be run again with it.
#include "asyncio/testing/seeds.hpp"

#include "asyncio/asyncio.hpp"
#include "captures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
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

}  // namespace
