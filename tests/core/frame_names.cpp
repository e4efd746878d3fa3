// SPDX-License-Identifier: BSL-1.0
/// D1: every frame of a call graph has a name that a reader can look for.
#include "asyncio/asyncio.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

/// The names of the frames of `function(args...)`, innermost first.
template <class F, class... Args>
std::vector<std::string> frames(F function, Args... args) {
  return test::run_virtual([&]() -> Coro<std::vector<std::string>> {
    auto task = create_task(function, args...);
    co_await sleep(1s);
    std::vector<std::string> names;
    auto graph = capture_call_graph(CallGraphOptions().future(task));
    for (const auto& frame : graph->call_stack) names.push_back(frame.function);
    co_return names;
  });
}

Coro<> in_managers() {
  co_await with(timeout(2h), [&](Timeout&) -> Coro<> {
    co_await with(TaskGroup(), [&](TaskGroup&) -> Coro<> { co_await sleep(1h); });
  });
}

TEST(FrameNames, D1_bodies_of_with) {
  EXPECT_EQ(frames(in_managers),
            (std::vector<std::string>{"<lambda>", "asyncio::detail::run_with", "<lambda>",
                                      "asyncio::detail::run_with", "in_managers"}));
}

Coro<> in_try() {
  co_await try_([&]() -> Coro<> { co_await sleep(1h); });
}

TEST(FrameNames, D1_bodies_of_try) {
  EXPECT_EQ(frames(in_try), (std::vector<std::string>{"<lambda>", "asyncio::Try::run", "in_try"}));
}

template <class T>
class Shelf {
 public:
  template <class U>
  Coro<std::vector<std::pair<T, U>>> take(U) {
    co_await sleep(1h);
    co_return std::vector<std::pair<T, U>>();
  }
  Coro<> operator()() { co_await sleep(1h); }
};

Coro<> in_member() {
  Shelf<std::vector<int>> shelf;
  co_await shelf.take(std::string());
}
Coro<> in_functor() {
  Shelf<int> shelf;
  co_await shelf();
}
template <class... T>
Coro<> in_template(T...) {
  co_await sleep(1h);
}

TEST(FrameNames, D1_members_and_templates) {
  EXPECT_EQ(frames(in_member), (std::vector<std::string>{"Shelf::take", "in_member"}));
  EXPECT_EQ(frames(in_functor), (std::vector<std::string>{"Shelf::operator()", "in_functor"}));
  EXPECT_EQ(frames([](int n) -> Coro<> { return in_template(n, "text", [] {}); }, 1),
            std::vector<std::string>{"in_template"});
}

AsyncGenerator<int> items() {
  co_await sleep(1h);
  co_yield 1;
}
Coro<> in_generator() {
  auto all = items();
  co_await all.next();
}

TEST(FrameNames, D1_generators) {
  EXPECT_EQ(frames(in_generator), (std::vector<std::string>{"items", "in_generator"}));
}

}  // namespace
