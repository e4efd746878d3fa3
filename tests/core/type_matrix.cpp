// SPDX-License-Identifier: BSL-1.0
// Fault 211: every kind of result goes through every way that a result can take, or does not
// compile (tests/compile_fail/results.cpp). Under UBSan nothing is misaligned.
#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "virtual_loop.hpp"

#include <gtest/gtest.h>

#include <any>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using test::run_virtual;

namespace {

// A type that is awkward in one way each. `make()` gives one, `good` looks at it.

struct Copyable {
  static std::string make() { return "a text that is too long for the string object itself"; }
  static bool good(const std::string& value) { return value == make(); }
};

struct MoveOnly {
  static std::unique_ptr<int> make() { return std::make_unique<int>(5); }
  static bool good(const std::unique_ptr<int>& value) { return value && *value == 5; }
};

class NoDefault {
 public:
  explicit NoDefault(int value) : value_(value) {}
  int value() const { return value_; }

 private:
  int value_;
};
struct NotDefaultConstructible {
  static NoDefault make() { return NoDefault(5); }
  static bool good(const NoDefault& value) { return value.value() == 5; }
};

/// Throws when it is moved for the `countdown`-th time.
class MoveThrows {
 public:
  MoveThrows() = default;
  MoveThrows(MoveThrows&& other) : value_(std::exchange(other.value_, 0)) { count(); }
  MoveThrows& operator=(MoveThrows&& other) {
    value_ = std::exchange(other.value_, 0);
    count();
    return *this;
  }
  int value() const { return value_; }

  static inline int countdown = 0;  // 0: never

 private:
  static void count() {
    if (countdown > 0 && --countdown == 0) throw std::length_error("moved");
  }
  int value_ = 5;
};
struct ThrowingMove {
  static MoveThrows make() { return MoveThrows(); }
  static bool good(const MoveThrows& value) { return value.value() == 5; }
};

struct Large {
  static std::array<std::uint64_t, 200> make() {
    std::array<std::uint64_t, 200> value{};
    value[199] = 5;
    return value;
  }
  static bool good(const std::array<std::uint64_t, 200>& value) { return value[199] == 5; }
};

/// Not copyable, not movable in vectors' eyes: const members make assignment impossible.
class Unassignable {
 public:
  explicit Unassignable(int number) : value(number) {}
  const int value;
};
struct NotAssignable {
  static Unassignable make() { return Unassignable(5); }
  static bool good(const Unassignable& value) { return value.value == 5; }
};

/// vector<bool> is none of bool.
struct Bool {
  static bool make() { return true; }
  static bool good(bool value) { return value; }
};

struct Nothing {
  friend bool operator==(Nothing, Nothing) = default;
};
struct Empty {
  static Nothing make() { return Nothing(); }
  static bool good(const Nothing& value) { return value == Nothing(); }
};

/// Takes anything for its value, a Result of itself, too.
struct Anything {
  static std::any make() { return 5; }
  static bool good(const std::any& value) { return std::any_cast<int>(value) == 5; }
};

/// An exception that is a value, not thrown.
struct ExceptionPointer {
  static std::exception_ptr make() { return std::make_exception_ptr(ValueError("a value")); }
  static bool good(const std::exception_ptr& value) {
    return describe_exception(value) == "asyncio::ValueError: a value";
  }
};

template <class Kind>
using value_t = decltype(Kind::make());

template <class Kind>
Coro<value_t<Kind>> at_once() {
  co_return Kind::make();
}
template <class Kind>
Coro<value_t<Kind>> later() {
  co_await sleep(1s);
  co_return Kind::make();
}
template <class Kind>
AsyncGenerator<value_t<Kind>> items() {
  for (int i = 0; i < 3; ++i) {
    co_yield Kind::make();
    co_await sleep(1s);
  }
}

template <class Kind>
class TypeMatrix : public ::testing::Test {
 protected:
  static bool good(const value_t<Kind>& value) { return Kind::good(value); }
};

using Kinds = ::testing::Types<Copyable, MoveOnly, NotDefaultConstructible, ThrowingMove, Large,
                               NotAssignable, Bool, Empty, Anything, ExceptionPointer>;
TYPED_TEST_SUITE(TypeMatrix, Kinds);

TYPED_TEST(TypeMatrix, fault211_coroutine_run_and_capture) {
  EXPECT_TRUE(this->good(run_virtual(later<TypeParam>)));
  run_virtual([]() -> Coro<> {
    auto first = co_await at_once<TypeParam>();
    auto second = co_await later<TypeParam>();
    EXPECT_TRUE(TypeParam::good(first) && TypeParam::good(second));
    auto captured = co_await capture(later<TypeParam>());
    EXPECT_TRUE(TypeParam::good(captured.value()));
  });
}

TYPED_TEST(TypeMatrix, fault211_task_by_name_and_by_value) {
  run_virtual([]() -> Coro<> {
    auto task = create_task(later<TypeParam>);
    const auto& seen = co_await task;
    EXPECT_TRUE(TypeParam::good(seen));
    EXPECT_TRUE(TypeParam::good(task.result()));
    auto taken = co_await std::move(task);
    EXPECT_TRUE(TypeParam::good(taken));
    auto eager = co_await create_task(TaskOptions().eager_start(true), at_once<TypeParam>);
    EXPECT_TRUE(TypeParam::good(eager));
  });
}

TYPED_TEST(TypeMatrix, fault211_future_and_its_combinators) {
  using T = value_t<TypeParam>;
  run_virtual([]() -> Coro<> {
    auto future = get_running_loop().create_future<T>();
    future.set_result(TypeParam::make());
    EXPECT_TRUE(TypeParam::good(future.result()));
    auto size = co_await future.then([](const T& value) { return TypeParam::good(value) ? 1 : 0; });
    EXPECT_EQ(size, 1);
    auto shielded = co_await shield(later<TypeParam>());
    EXPECT_TRUE(TypeParam::good(shielded));
    auto limited = co_await wait_for(later<TypeParam>(), 1h);
    EXPECT_TRUE(TypeParam::good(limited));
    auto slept = co_await sleep(1s, TypeParam::make());
    EXPECT_TRUE(TypeParam::good(slept));
  });
}

TYPED_TEST(TypeMatrix, fault211_gather_wait_and_as_completed) {
  using T = value_t<TypeParam>;
  run_virtual([]() -> Coro<> {
    auto [first, second] = co_await gather(at_once<TypeParam>(), later<TypeParam>());
    EXPECT_TRUE(TypeParam::good(first) && TypeParam::good(second));
    std::vector<Coro<T>> coros;
    for (int i = 0; i < 3; ++i) coros.push_back(later<TypeParam>());
    auto list = co_await gather(std::move(coros));
    EXPECT_TRUE(TypeParam::good(list[2]));
    auto results = co_await gather(return_exceptions, later<TypeParam>());
    EXPECT_TRUE(TypeParam::good(std::get<0>(results).value()));
    std::vector<Task<T>> tasks(1, create_task(later<TypeParam>));
    auto waited = co_await wait(tasks);
    EXPECT_TRUE(TypeParam::good(waited.done[0].result()));
    auto completed = as_completed(tasks);
    auto next = co_await completed.next();
    EXPECT_TRUE(TypeParam::good(next->result()));
  });
}

TYPED_TEST(TypeMatrix, fault211_with_try_and_generators) {
  run_virtual([]() -> Coro<> {
    auto inside = co_await with(timeout(1h), []() { return later<TypeParam>(); });
    EXPECT_TRUE(TypeParam::good(inside));
    auto tried = co_await try_(later<TypeParam>);
    EXPECT_TRUE(TypeParam::good(tried));
    auto generator = items<TypeParam>();
    int count = 0;
    while (auto item = co_await generator.next()) count += TypeParam::good(*item);
    EXPECT_EQ(count, 3);
  });
}

TYPED_TEST(TypeMatrix, fault211_queues) {
  using T = value_t<TypeParam>;
  run_virtual([]() -> Coro<> {
    Queue<T> queue(1);
    LifoQueue<T> stack;
    auto produce = [](Queue<T>* to) -> Coro<> {
      for (int i = 0; i < 3; ++i) co_await to->put(TypeParam::make());
      to->shutdown();
    };
    auto producer = create_task(produce, &queue);
    int count = 0;
    while (auto item = co_await queue.next()) {
      count += TypeParam::good(*item);
      if constexpr (std::is_move_assignable_v<T>) stack.put_nowait(std::move(*item));
    }
    co_await producer;
    EXPECT_EQ(count, 3);
    if constexpr (std::is_move_assignable_v<T>) {
      auto last = co_await stack.get();
      EXPECT_TRUE(TypeParam::good(last));
    }
  });
}

TYPED_TEST(TypeMatrix, fault211_threads) {
  using T = value_t<TypeParam>;
  auto main = []() -> Coro<> {
    T made = co_await to_thread(TypeParam::make);
    EXPECT_TRUE(TypeParam::good(made));
    T executed = co_await get_running_loop().run_in_executor(nullptr, TypeParam::make);
    EXPECT_TRUE(TypeParam::good(executed));
    auto call_back = [loop = get_running_loop()]() -> T {
      return run_coroutine_threadsafe(at_once<TypeParam>(), loop).result();
    };
    T returned = co_await to_thread(call_back);
    EXPECT_TRUE(TypeParam::good(returned));
  };
  run(main());
}

// A move that throws is an error of its own, wherever it happens: the frame is freed once, whoever
// awaits gets the exception, and the loop goes on.
TEST(TypeMatrixThrowingMove, fault211_each_move_on_the_way_may_throw) {
  auto ways = []() -> Coro<int> {
    int sum = 0;
    auto awaited = co_await later<ThrowingMove>();
    auto task = co_await create_task(later<ThrowingMove>);
    auto [gathered] = co_await gather(later<ThrowingMove>());
    auto limited = co_await wait_for(later<ThrowingMove>(), 1h);
    Queue<MoveThrows> queue;
    co_await queue.put(MoveThrows());
    auto item = co_await queue.get();
    sum += awaited.value() + task.value() + gathered.value() + limited.value() + item.value();
    co_return sum;
  };
  int failures = 0;
  for (int k = 1;; ++k) {
    test::LogCapture log;
    MoveThrows::countdown = k;
    std::string text = test::thrown([&] { EXPECT_EQ(run_virtual(ways), 25); });
    bool reached = MoveThrows::countdown == 0;
    MoveThrows::countdown = 0;
    if (!reached) break;
    EXPECT_EQ(text, "std::length_error: moved") << "move " << k;
    ++failures;
  }
  EXPECT_GE(failures, 10);
}

// References and void ----------------------------------------------------------------------------

int place = 5;
Coro<int&> reference() {
  co_await sleep(1s);
  co_return place;
}
Coro<> nothing() { co_await sleep(1s); }
Coro<const std::string&> constant() {
  static const std::string text = "constant";
  co_return text;
}

TEST(TypeMatrixReference, fault211_each_way_gives_the_same_object) {
  EXPECT_EQ(&run(reference(), test::virtual_options()), &place);
  run_virtual([]() -> Coro<> {
    int& awaited = co_await reference();
    Task<int&> task = create_task(reference);
    int& by_name = co_await task;
    int& by_value = co_await std::move(task);
    auto [gathered] = co_await gather(reference());
    int& shielded = co_await shield(reference());
    auto future = get_running_loop().create_future<int&>();
    future.set_result(place);
    int& set = co_await future;
    int& result = future.result();
    for (int* each : {&awaited, &by_name, &by_value, &gathered.get(), &shielded, &set, &result})
      EXPECT_EQ(each, &place);
    const std::string& text = co_await constant();
    EXPECT_EQ(text, "constant");
  });
}

TEST(TypeMatrixReference, fault211_combinators_that_keep_the_outcome_keep_the_reference) {
  run_virtual([]() -> Coro<> {
    Task<int&> task = create_task(reference);
    int& limited = co_await wait_for(reference(), 1h);
    int& limited_task = co_await wait_for(task, 1h);
    int& inside = co_await with(timeout(1h), reference);
    int& tried = co_await try_(reference);
    auto captured = co_await capture(reference());
    for (int* each : {&limited, &limited_task, &inside, &tried, &captured.value()})
      EXPECT_EQ(each, &place);
    auto results = co_await gather(return_exceptions, reference());
    EXPECT_EQ(&std::get<0>(results).value().get(), &place);
  });
}

// A const result cannot be moved out: it is copied.
Coro<const std::string> unchanging() {
  co_await sleep(1s);
  co_return "const";
}

TEST(TypeMatrixConst, fault211_each_way_copies) {
  EXPECT_EQ(run(unchanging(), test::virtual_options()), "const");
  run_virtual([]() -> Coro<> {
    std::string awaited = co_await unchanging();
    auto task = create_task(unchanging);
    std::string by_name = co_await task;
    std::string by_value = co_await std::move(task);
    std::string shielded = co_await shield(unchanging());
    std::string limited = co_await wait_for(unchanging(), 1h);
    auto [gathered] = co_await gather(unchanging());
    auto future = get_running_loop().create_future<const std::string>();
    future.set_result("const");
    std::string set = co_await future;
    for (const std::string& each :
         {awaited, by_name, by_value, shielded, limited, gathered, set, future.result()})
      EXPECT_EQ(each, "const");
    auto captured = co_await capture(unchanging());
    EXPECT_EQ(captured.value(), "const");
  });
}

TEST(TypeMatrixVoid, fault211_each_way_takes_nothing) {
  run_virtual([]() -> Coro<> {
    co_await nothing();
    co_await create_task(nothing);
    auto [unit] = co_await gather(nothing());
    EXPECT_EQ(unit, Unit());
    co_await shield(nothing());
    co_await wait_for(nothing(), 1h);
    co_await with(timeout(1h), nothing);
    auto captured = co_await capture(nothing());
    EXPECT_TRUE(captured.has_value());
    co_await try_(nothing);
    auto future = get_running_loop().create_future();
    future.set_result();
    co_await future;
    co_await future.then([] {});
  });
  run([]() -> Coro<> { co_await to_thread([] {}); });
}

// Over-aligned values: not inside a frame, but futures, tasks and callbacks that own them are
// aligned.

struct alignas(64) Line {
  explicit Line(int number) : value(number) {}
  bool aligned() const { return reinterpret_cast<std::uintptr_t>(this) % 64 == 0; }
  int value;
};

TEST(TypeMatrixAligned, fault211_futures_and_arguments_keep_their_alignment) {
  run_virtual([]() -> Coro<> {
    std::vector<Future<Line>> futures;
    for (int i = 0; i < 10; ++i) {
      futures.push_back(get_running_loop().create_future<Line>());
      futures.back().set_result(Line(i));
      EXPECT_TRUE(futures.back().result().aligned());
    }
    const Line& awaited = co_await futures[3];
    EXPECT_TRUE(awaited.aligned());
    EXPECT_EQ(awaited.value, 3);

    auto all = gather(futures[1], futures[2]);
    auto shielded = shield(futures[3]);
    auto next = futures[4].then([](const Line& line) { return Line(line.value + 1); });
    co_await sleep(1s);
    const auto& [first, second] = all.result();
    for (const Line* line : {&first, &second, &shielded.result(), &next.result()})
      EXPECT_TRUE(line->aligned());
    EXPECT_EQ(first.value + second.value + next.result().value, 8);

    Queue<Line> queue;
    for (int i = 0; i < 10; ++i) queue.put_nowait(Line(i));
    for (int i = 0; i < 10; ++i) EXPECT_EQ(queue.get_nowait().value, i);

    int called = 0;
    auto callback = [&called](const Line& line) { called += line.aligned(); };
    for (int i = 0; i < 10; ++i) get_running_loop().call_soon(callback, Line(i));
    auto body = [&called](const Line& line) -> Coro<> {
      called += line.aligned();
      co_return;
    };
    for (int i = 0; i < 10; ++i) create_task(body, Line(i));
    co_await sleep(1s);
    EXPECT_EQ(called, 20);
  });
}

}  // namespace
