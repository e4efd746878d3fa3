// SPDX-License-Identifier: BSL-1.0
// AF: small programs while one allocation after another throws bad_alloc, until the program comes
// to its end without. Such a program does what it should, or ends with bad_alloc, or with an error
// that says what else became of it; it does not hang or crash, and nothing is left behind.
//
// With ASYNCIO_FAULTS=all each allocation fails in its turn, else some of them.
#include "allocation_count.hpp"
#include "asyncio/testing/simulated.hpp"
#include "backends.hpp"
#include "connected.hpp"
#include "gate.hpp"
#include "memory.hpp"
#include "subject.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace {

using namespace asyncio;
using namespace std::chrono_literals;

/// Drops what is logged, without taking memory.
class Quiet {
 public:
  Quiet() : previous_(set_log_handler([](const LogRecord&) {})) {}
  ~Quiet() { set_log_handler(previous_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  LogHandler previous_;
};

class Allocations : public ::testing::TestWithParam<faults::Subject> {
 protected:
  void SetUp() override {
    if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
    std::string refusal = test::refusal_of(GetParam().backend);
    if (!refusal.empty()) GTEST_SKIP() << refusal;
    test::announce_termination();
  }

  /// Runs the program once; what it does wrong, or nothing.
  static std::string run_once(std::uint64_t which, bool& happened) {
    const auto& [program, backend] = GetParam();
    const LoopFactory factory = test::factory_of(backend);
    Quiet quiet;
    std::exception_ptr error;
    bool begun = false, ended = false;
    test::allocation_of_the_moment = which;
    {
      test::AllocationFailure failure(which);
      try {
        RunOptions options;
        options.loop_factory(factory);
        auto main = [&]() -> Coro<> {
          begun = true;
          try {
            co_await wait_for(program.run(), 5s);
          } catch (const CancelledError&) {  // by run(), which an error has left
            throw;
          } catch (...) {  // Judged below.
            error = std::current_exception();
          }
          ended = true;
        };
        asyncio::run(main(), options);
      } catch (...) {  // Judged below.
        error = std::current_exception();
      }
      happened = failure.happened();
    }
    if (begun && !ended) return "the loop ended before the program: " + describe_exception(error);
    if (!error || (happened && (test::lacks_memory(error) || ends_otherwise(error)))) return "";
    return describe_exception(error);
  }

  /// How a connection ends whose other side had no memory.
  static bool ends_otherwise(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const TimeoutError&) {
      return false;
    } catch (const OSError&) {
      return true;
    } catch (const IncompleteReadError&) {
      return true;
    } catch (...) {  // Judged.
      return false;
    }
  }

  void sweep() {
    bool happened = false;
    for (int warm = 0; warm < 2; ++warm) ASSERT_EQ(run_once(0, happened), "");
    test::AllocationCount all;
    run_once(0, happened);
    const char* wanted = std::getenv("ASYNCIO_FAULTS");
    bool every = wanted && std::string(wanted) == "all";
    std::uint64_t step = every ? 1 : all.made() / kSample + 1;
    std::ptrdiff_t descriptors = test::open_descriptors();
    happened = true;
    for (std::uint64_t which = 1; happened; which += step) {
      SCOPED_TRACE("allocation " + std::to_string(which));
      // Twice, if blocks are left: what is made once for the process stays.
      if (left_by(which, happened, 200ms) > 0) {
        ASSERT_LE(left_by(which, happened, test::kPatience), 0) << "blocks are left";
      }
      if (HasFailure()) return;
      ASSERT_EQ(test::open_descriptors(), descriptors);
    }
  }

  /// How many blocks one run has left behind.
  static std::ptrdiff_t left_by(std::uint64_t which, bool& happened,
                                std::chrono::milliseconds patience) {
    test::AllocationCount count;
    std::string wrong = run_once(which, happened);
    EXPECT_EQ(wrong, "");
    // Threads that nobody waited for take theirs with them.
    auto end = std::chrono::steady_clock::now() + patience;
    while (wrong.empty() && count.live() > 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(5ms);
    return wrong.empty() ? count.live() : 0;
  }

  static constexpr std::uint64_t kSample = 40;
};

TEST_P(Allocations, fault191_each_fails_in_its_turn) { sweep(); }

std::vector<faults::Subject> core_subjects() {
  std::vector<faults::Subject> all;
  for (const faults::Program& program : faults::core_programs())
    all.push_back({program, "simulated"});
  return all;
}
INSTANTIATE_TEST_SUITE_P(EveryCoreProgram, Allocations, ::testing::ValuesIn(core_subjects()),
                         faults::subject_name);
INSTANTIATE_TEST_SUITE_P(EveryProgram, Allocations,
                         ::testing::ValuesIn(faults::subjects({"epoll", "io_uring"})),
                         faults::subject_name);

// --- Writes -------------------------------------------------------------------------------------

enum class Written { view, string, lines, behind_others };

constexpr std::size_t kLine = 200'000;

/// More than the kernel takes, so that a part is sent and the rest kept.
const std::string& much() {
  static const std::string bytes = test::pattern(40 * kLine);
  return bytes;
}

/// Takes no memory of its own while it writes.
class Writing {
 public:
  explicit Writing(Written how) : how_(how) {
    if (how == Written::behind_others) before = much();
    if (how == Written::string || how == Written::behind_others) string_ = text();
    for (std::size_t at = 0; how == Written::lines && at < much().size(); at += kLine)
      lines_.push_back(std::string_view(much()).substr(at, kLine));
  }
  std::string text() const {
    return how_ == Written::behind_others ? std::string(kLine, 'x') : much();
  }
  void write(StreamWriter& writer) {
    if (how_ == Written::view)
      writer.write(std::string_view(much()));
    else if (how_ == Written::lines)
      writer.writelines(lines_);
    else
      writer.write(std::move(string_));
  }

  std::string before;  // what is written before memory runs out

 private:
  Written how_;
  std::string string_;
  std::vector<std::string_view> lines_;
};

/// Whatever was sent before the end, or before an error.
Coro<std::string> all_of(StreamReader reader) {
  std::string got;
  try {
    for (std::string some = "x"; !some.empty(); got += some) some = co_await reader.read(1 << 20);
  } catch (const OSError&) {
    // Over TLS there is no goodbye.
  }
  co_return got;
}

Coro<bool> write_without_memory(Written how, bool tls, std::uint64_t which) {
  std::optional<test::Connected> both;
  if (tls)
    both = co_await test::tls_connected();
  else
    both = co_await test::connected();
  const std::string tail = "and nothing else";
  bool thrown = false, happened = false;
  Writing writing(how);
  both->writer().write(writing.before);
  {
    test::AllocationFailure failure(which);
    try {
      writing.write(both->writer());
    } catch (const std::bad_alloc&) {
      thrown = true;
    }
    happened = failure.happened();
  }
  auto reading = create_task(all_of(both->peer_reader()));
  both->writer().write(tail);
  bool failed = (co_await test::error_of(test::drain(both->writer()))) != "nothing";
  both->writer().close();
  std::string got = co_await reading;
  std::string all = writing.before + writing.text();
  if (failed) {
    EXPECT_TRUE(got.size() < all.size() && all.starts_with(got)) << "there is a gap";
  } else if (thrown) {
    EXPECT_TRUE(got == writing.before + tail) << "a write that has thrown has sent something";
  } else {
    EXPECT_TRUE(got == all + tail);
  }
  co_await both->close();
  co_return happened;
}

/// After a write that was sent in part, and of which the rest could not be kept, nothing follows:
/// the peer would take it for what is missing.
TEST(WriteAllocations, R2_fault191_a_write_leaves_no_gap) {
  if (!test::kCountsAllocations) GTEST_SKIP() << "the sanitizer's operators do not fail";
  for (auto factory : {new_epoll_event_loop, new_uring_event_loop}) {
    for (auto [how, tls, step] :
         {std::tuple(Written::view, false, 1u), std::tuple(Written::string, false, 1u),
          std::tuple(Written::lines, false, 5u), std::tuple(Written::behind_others, false, 1u),
          std::tuple(Written::view, true, 20u)}) {
      bool happened = true;
      for (std::uint64_t which = 1; happened; which += step) {
        SCOPED_TRACE("allocation " + std::to_string(which) + " of write " +
                     std::to_string(static_cast<int>(how)));
        Quiet quiet;
        RunOptions options;
        options.loop_factory(factory);
        happened = asyncio::run(write_without_memory(how, tls, which), options);
        if (HasFailure()) return;
      }
    }
  }
}

}  // namespace
