// SPDX-License-Identifier: BSL-1.0
// The cancellation sweep (CS, fault 28). Every public awaitable, and some that are made of several,
// runs once, and its suspensions are counted. Then, for each of them, it is cancelled while
// suspended there; in the same tick as that suspension completes, before and after it does; in
// every other tick; or its frame is destroyed there. After each, nothing is left behind and the
// same object is used again (R1 to R5).
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "sweep_case.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// Watches one task: counts its suspensions and the loop's ticks, and acts at one of either.
class Watch final : public TaskHooks {
 public:
  Watch() { loop_.set_task_hooks(this); }
  ~Watch() override { stop(); }

  void stop() {
    if (ticker_) ticker_->cancel();
    loop_.set_task_hooks(nullptr);
  }

  /// Before the task takes its first step.
  void follow(const Task<>& task) { task_ = task; }
  void at_suspension(int which, std::function<void()> act) {
    at_suspension_ = which;
    act_ = std::move(act);
  }
  void at_tick(int which, std::function<void()> act) {
    at_tick_ = which;
    act_ = std::move(act);
  }
  /// From now on, before anything else that is ready. Keeps the loop from waiting.
  void count_ticks() {
    if (++tick_ == at_tick_) act_();
    ticker_ = loop_.call_soon([this] { count_ticks(); });
  }

  void on_enter(const TaskHandle& task) noexcept override {
    if (is_followed(task) && suspensions_ > 0) resumed_at.push_back(tick_);
  }
  void on_leave(const TaskHandle& task) noexcept override {
    bool suspended = is_followed(task) && asyncio::detail::task_of(task).waiting();
    if (suspended && ++suspensions_ == at_suspension_) act_();
  }

  int suspensions() const { return suspensions_; }

  /// In which tick the task went on after each suspension.
  std::vector<int> resumed_at;

 private:
  bool is_followed(const TaskHandle& task) const { return task_ && task == *task_; }

  EventLoop loop_ = get_running_loop();
  std::optional<Task<>> task_;
  std::optional<Handle> ticker_;
  std::function<void()> act_;
  int suspensions_ = 0;
  int tick_ = 0;
  int at_suspension_ = 0;
  int at_tick_ = -1;
};

/// When the operation is cancelled: at a suspension, counted from one, or in a tick, or not.
class Moment {
 public:
  static Moment suspension(int which) { return Moment(which, -1); }
  static Moment tick(int which) { return Moment(0, which); }
  static Moment never() { return Moment(0, -1); }

  const int at_suspension;
  const int at_tick;

 private:
  Moment(int suspension, int tick) : at_suspension(suspension), at_tick(tick) {}
};

/// Until `condition` holds; false if it never does. Lets no time pass on a simulated loop.
template <class Condition>
Coro<bool> eventually(Condition condition) {
  constexpr int kTicks = 10'000;
  auto end = std::chrono::steady_clock::now() + 20s;
  for (int tick = 0; !condition(); ++tick) {
    if (tick > kTicks && std::chrono::steady_clock::now() > end) co_return false;
    co_await sleep(0s);
  }
  co_return true;
}

Coro<> settle() {
  for (int tick = 0; tick < 6; ++tick) co_await sleep(0s);
}

/// Nothing of what the case did is left in the loop.
Coro<> expect_clean() {
  detail::Loop& loop = asyncio::detail::running_loop();
  bool clean =
      co_await eventually([&loop] { return all_tasks().size() == 1 && loop.armed_timers() == 0; });
  EXPECT_TRUE(clean) << all_tasks().size() - 1 << " tasks and " << loop.armed_timers()
                     << " timers are left";
  EXPECT_EQ(current_task()->cancelling(), 0);
}

Coro<> use_again(sweep::Case& subject) {
  auto again = co_await capture(wait_for(subject.use_again(), 30s));
  EXPECT_TRUE(again.has_value()) << describe_exception(again.exception());
}

/// Runs the operation of one case and cancels it at `moment`. Says when the task went on after
/// each of its suspensions.
Coro<std::vector<int>> run_once(sweep::Entry entry, Moment moment) {
  std::vector<int> resumed_at;
  {
    auto subject = entry.make();
    co_await subject->prepare();
    bool accepted = false;
    Watch watch;
    watch.count_ticks();
    Task<> task = create_task(subject->operation());
    watch.follow(task);
    auto cancel = [&] { accepted = task.cancel(); };
    if (moment.at_suspension > 0) watch.at_suspension(moment.at_suspension, cancel);
    if (moment.at_tick >= 0) watch.at_tick(moment.at_tick, cancel);

    bool begun = co_await eventually([&] { return watch.suspensions() > 0 || task.done(); });
    EXPECT_TRUE(begun && (watch.suspensions() > 0 || accepted)) << "it did not have to wait";
    co_await settle();
    bool ends_alone = accepted && moment.at_suspension > 0 && subject->ends_at_once();
    if (!ends_alone) subject->complete();
    bool done = co_await eventually([&] { return task.done(); });
    EXPECT_TRUE(done) << "neither value nor cancellation: the operation hangs";
    if (!done) co_return resumed_at;
    EXPECT_EQ(task.cancelled(), accepted)
        << (accepted ? "the cancellation got lost" : "a cancellation was invented");
    if (!task.cancelled()) {
      EXPECT_EQ(task.exception(), nullptr) << describe_exception(task.exception());
    }
    watch.stop();
    resumed_at = watch.resumed_at;
    co_await use_again(*subject);
  }
  co_await expect_clean();
  co_return resumed_at;
}

/// Whether an object says that its loop is another, or that a stream, a server or a WebSocket was
/// closed with that.
bool says_it_is_gone(const std::exception_ptr& error) {
  constexpr std::string_view kWays[] = {
      "asyncio::ConnectionRefusedError: connect ",    "asyncio::FileNotFoundError: connect ",
      "asyncio::http::ClientConnectorError: cannot ", "asyncio::IncompleteReadError: ",
      "asyncio::TypeError: Received message Closed ",
  };
  const std::string text = describe_exception(error);
  for (std::string_view way : kWays)
    if (text.starts_with(way)) return true;
  return text.starts_with("asyncio::RuntimeError: ") &&
         (text.find(" different ") != text.npos || text.ends_with("is closed"));
}

/// The loop is closed while the operation is at a suspension: its frame is destroyed there.
/// Afterwards the object says so, or works on another loop. Returns whether there was such a
/// suspension.
bool destroy_at(const sweep::Entry& entry, const LoopFactory& factory, int suspension) {
  test::LogCapture log;  // of what was pending
  std::unique_ptr<sweep::Case> subject;
  std::unique_ptr<Watch> watch;
  EventLoop loop = factory();
  auto main = [&]() -> Coro<> {
    subject = entry.make();
    co_await subject->prepare();
    watch = std::make_unique<Watch>();
    Task<> task = create_task(subject->operation());
    watch->follow(task);
    watch->at_suspension(suspension, [&loop] { loop.stop(); });
    co_await eventually([&] { return watch->suspensions() > 0; });
    co_await settle();
    subject->complete();
    co_await eventually([&] { return task.done(); });
    loop.stop();
  };
  loop.create_task(main);
  loop.run_forever();
  bool reached = watch->suspensions() >= suspension;
  watch.reset();
  loop.close();
  EXPECT_TRUE(all_tasks(loop).empty());
  auto again = [&]() -> Coro<> {
    auto outcome = co_await capture(wait_for(subject->use_again(), 30s));
    if (!outcome) {
      EXPECT_TRUE(says_it_is_gone(outcome.exception())) << describe_exception(outcome.exception());
    }
  };
  asyncio::run(again(), RunOptions().loop_factory(factory));
  subject.reset();
  return reached;
}

struct Subject {
  sweep::Entry entry;
  std::string backend;

  std::string name() const { return entry.name + ("_" + backend); }
  friend void PrintTo(const Subject& subject, std::ostream* out) { *out << subject.name(); }
};

class CancellationSweep : public ::testing::TestWithParam<Subject> {
 protected:
  void SetUp() override {
    std::string refusal = test::refusal_of(GetParam().backend);
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    run(Moment::never());  // what the process keeps is opened: a thread, a certificate
    before_ = test::open_descriptors();
  }
  void TearDown() override {
    if (before_ > 0) {
      // What a thread was at when its loop closed is closed by the thread.
      for (int patience = 0; test::open_descriptors() > before_ && patience < 2'000; ++patience)
        std::this_thread::sleep_for(1ms);
      EXPECT_EQ(test::open_descriptors(), before_) << "descriptors left open (R5)";
    }
  }

  std::vector<int> run(Moment moment) {
    SCOPED_TRACE("at suspension " + std::to_string(moment.at_suspension) + ", tick " +
                 std::to_string(moment.at_tick));
    RunOptions options;
    options.loop_factory(factory());
    return asyncio::run(run_once(GetParam().entry, moment), options);
  }
  LoopFactory factory() const { return test::factory_of(GetParam().backend); }

  /// The most suspensions that an operation may have here; on the system's loops their number may
  /// differ from run to run.
  static constexpr int kMost = 40;

 private:
  std::ptrdiff_t before_ = 0;
};

TEST_P(CancellationSweep, fault28_R1_R3_R4_cancelled_at_each_suspension) {
  auto count = static_cast<int>(run(Moment::never()).size());
  ASSERT_GT(count, 0);
  ASSERT_LT(count, kMost);
  for (int i = 1; i <= count; ++i) run(Moment::suspension(i));
}

/// Before it completes; after that, before the task has gone on; after that, too.
TEST_P(CancellationSweep, fault28_R2_R4_cancelled_in_the_tick_of_each_completion) {
  std::vector<int> resumed_at = run(Moment::never());
  std::set<int> ticks;
  for (int tick : resumed_at) ticks.insert({tick - 1, tick, tick + 1});
  // Where ticks are the same in each run, at the others, too: a wait may have several parts.
  constexpr int kMostTicks = 32;
  if (GetParam().backend == "simulated")
    for (int tick = 1; tick < std::min(resumed_at.back(), kMostTicks); ++tick) ticks.insert(tick);
  for (int tick : ticks) run(Moment::tick(tick));
}

TEST_P(CancellationSweep, fault28_R3_frame_destroyed_at_each_suspension) {
  if (GetParam().entry.in_handler)
    GTEST_SKIP() << "the loop ends the handler, and with it the request, before the operation";
  int suspension = 1;
  while (suspension < kMost && destroy_at(GetParam().entry, factory(), suspension)) ++suspension;
  EXPECT_GT(suspension, 1);
  EXPECT_LT(suspension, kMost);
}

std::vector<Subject> subjects() {
  std::vector<Subject> all;
  for (const sweep::Entry& entry : sweep::all_entries()) {
    for (const char* backend : {"simulated", "epoll", "io_uring"}) {
      bool simulated = std::string_view(backend) == "simulated";
      if (entry.loops == (simulated ? sweep::On::system : sweep::On::simulated)) continue;
      all.push_back({entry, backend});
    }
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(EveryAwaitable, CancellationSweep, ::testing::ValuesIn(subjects()),
                         [](const ::testing::TestParamInfo<Subject>& each) {
                           return each.param.name();
                         });

}  // namespace
