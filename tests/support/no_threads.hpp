// SPDX-License-Identifier: BSL-1.0
/// What a program does when it can have no more threads.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <pthread.h>

namespace test {

/// While it lives no thread can be started: each would get a stack larger than the address space.
class NoThreads {
 public:
  NoThreads() {
    ::pthread_attr_init(&attributes_);
    ::pthread_getattr_default_np(&attributes_);
    ::pthread_attr_getstacksize(&attributes_, &size_);
    set(std::size_t{1} << 50);
  }
  ~NoThreads() {
    set(size_);
    ::pthread_attr_destroy(&attributes_);
  }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

 private:
  void set(std::size_t size) {
    ::pthread_attr_setstacksize(&attributes_, size);
    EXPECT_EQ(::pthread_setattr_default_np(&attributes_), 0);
  }

  pthread_attr_t attributes_;
  std::size_t size_ = 0;
};

}  // namespace test
