// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/fault_layer.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>

namespace asyncio::detail {

/// The way to the system: each call of a backend passes here, so that a test can make it fail.
/// `function` is the call, with -1 and errno for an error as in C; what comes back is its result or
/// the negative error number.
class SystemGate {
 public:
  explicit SystemGate(FaultLayer* faults) noexcept : faults_(faults) {}

  FaultLayer* faults() const noexcept { return faults_; }
  /// Whether the latest transfer was made short by a fault, which says nothing of the descriptor.
  bool shortened() const noexcept { return shortened_; }

  template <class F>
  std::int64_t call(SystemCall which, F function) const noexcept {
    if (faults_) [[unlikely]]
      if (int error = faults_->before(which).error) return -error;
    return checked(function());
  }

  /// As `call`, for a function that returns the negative error number itself.
  template <class F>
  std::int64_t direct(SystemCall which, F function) const noexcept {
    if (faults_) [[unlikely]]
      if (int error = faults_->before(which).error) return -error;
    return function();
  }

  /// As `call`, again and again while it is interrupted.
  template <class F>
  std::int64_t retried(SystemCall which, F function) const noexcept {
    std::int64_t result = 0;
    do {
      result = call(which, function);
    } while (result == -EINTR);
    return result;
  }

  /// The same for `function(n)`, which transfers n bytes at most.
  template <class F>
  std::int64_t transfer(SystemCall which, std::size_t size, F function) const noexcept {
    std::int64_t result = 0;
    do {
      Fault fault = faults_ ? faults_->before(which) : Fault();
      shortened_ = fault.most < size;
      result = fault.error ? -fault.error : checked(function(std::min(size, fault.most)));
    } while (result == -EINTR);
    return result;
  }

  /// For a call that does its work even if it says that it was interrupted: close, connect.
  template <class F>
  std::int64_t once(SystemCall which, F function) const noexcept {
    int error = faults_ ? faults_->before(which).error : 0;
    if (error && error != EINTR && which != SystemCall::close) return -error;
    std::int64_t result = checked(function());
    return error ? -error : result;
  }

 private:
  static std::int64_t checked(std::int64_t result) noexcept { return result < 0 ? -errno : result; }

  FaultLayer* faults_;
  mutable bool shortened_ = false;
};

}  // namespace asyncio::detail
