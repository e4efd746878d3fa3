// SPDX-License-Identifier: BSL-1.0
// What is measured, apart from how. Google Benchmark (main.cpp) and callgrind (once.cpp) run the
// same operations.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

/// Tells an operation how often it is to be done. What comes before the first question and after
/// the last answer is not measured.
class Count {
 public:
  Count(const Count&) = delete;
  Count& operator=(const Count&) = delete;

  /// Whether to do it once more.
  bool more() {
    if (left_ == 0) left_ = grant(kChunk);
    if (left_ == 0) return false;
    --left_;
    return true;
  }
  /// How many to do at once: `size`, or 0 at the end.
  std::int64_t batch(std::int64_t size) { return grant(size); }

  /// A figure beside the time, such as "bytes" or "p50 us".
  virtual void report(const char* name, double value) = 0;

 protected:
  Count() = default;
  ~Count() = default;
  virtual std::int64_t grant(std::int64_t wanted) = 0;

 private:
  static constexpr std::int64_t kChunk = 1000;
  std::int64_t left_ = 0;
};

/// The compiler has to believe that `value` is used.
inline void keep(std::uint64_t value) { asm volatile("" : : "r"(value)); }

/// Something that is done and counted, by us or by a rival.
class Operation {
 public:
  using Run = void (*)(Count&);

  Operation(std::string_view title, std::string_view who, Run function)
      : name(title), library(who), run(function) {}

  /// It is done in batches of this size.
  Operation& batches(std::int64_t size) {
    batch_size = size;
    return *this;
  }
  /// Several threads take part: what counts is the time on the wall.
  Operation& threads() {
    kind = Kind::threads;
    return *this;
  }
  /// It waits for real time: what counts is the processor's.
  Operation& clocked() {
    kind = Kind::clocked;
    return *this;
  }
  /// The figure is what it reports, not a time. One batch is done, in a process of its own.
  Operation& memory() {
    kind = Kind::memory;
    return *this;
  }

  enum class Kind { plain, threads, clocked, memory };

  std::string name;
  std::string library;
  Run run;
  Kind kind = Kind::plain;
  std::int64_t batch_size = 1000;
};

/// All operations of this program, in order of registration.
std::vector<Operation>& operations();

/// Adds one while the program starts.
inline bool add(Operation operation) {
  operations().push_back(std::move(operation));
  return true;
}

}  // namespace bench
