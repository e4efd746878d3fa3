// SPDX-License-Identifier: BSL-1.0
/// ACC: what there is before a test has to be there after it, and nothing else. Every test program
/// is linked with accounting.cpp, which looks after each of its tests. One that cannot help it says
/// what it leaves: RecordProperty("leaves", "..."); or that it closes_twice.
#pragma once

#include <cstddef>
#include <string>

namespace test {

/// What a test may leave behind, at one moment.
class Account {
 public:
  Account();

  /// What is there now and was not then; empty if nothing is.
  std::string surplus_of(const Account& now) const;

 private:
  std::size_t loops_;    // with them tasks, futures, timers, handles and operations of theirs
  std::size_t blocks_;   // bytes of coroutine frames, tasks, futures, handles in this thread
  std::size_t threads_;  // an executor's are gone with its shutdown
  std::size_t descriptors_;
  std::size_t allocated_;  // blocks of the heap, where they are counted
};

}  // namespace test
