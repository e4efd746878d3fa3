// SPDX-License-Identifier: BSL-1.0
/// The seed of a run that fails is told, also if the run ends with the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace asyncio::testing::detail {

/// How a run is run again with its seed.
enum class Replay { by_environment, by_argument };

/// While it lives, a run with `seed` is under way in this thread. If that ends with an exception,
/// the log has the seed; if the process crashes (SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, or a
/// sanitizer ends it), stderr has the same line, and the crash goes on as if nobody had looked.
/// Does nothing inside of another one, whose seed decides, nor for an argument of 0, which stands
/// for order.
class SeedUnderWay {
 public:
  SeedUnderWay(std::uint64_t seed, Replay replay);
  ~SeedUnderWay();
  SeedUnderWay(const SeedUnderWay&) = delete;
  SeedUnderWay& operator=(const SeedUnderWay&) = delete;

  /// Async-signal-safe: writes the line to stderr.
  void write_line() const noexcept;

 private:
  friend class SeedList;

  void borrow_signal_stack() noexcept;
  void return_signal_stack() noexcept;

  std::string line_;  // empty if this one does nothing
  int exceptions_;    // that were under way before
  std::unique_ptr<std::byte[]> signal_stack_;
  SeedUnderWay* older_ = nullptr;
  SeedUnderWay* newer_ = nullptr;
};

}  // namespace asyncio::testing::detail
