// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/operation.hpp"

#include <cstdint>

namespace asyncio::detail {

/// The 64 bits that the kernel gives back with the completion of a request. Either the address of
/// an operation, a multiple of 8; or what it is about: three bits for the kind, one for the
/// direction, 31 for the descriptor, 29 to tell that from an earlier one with the same number.
class RequestName {
 public:
  enum Kind : std::uint64_t { operation, poll, accept, wake };

  explicit RequestName(std::uint64_t value) noexcept : value_(value) {}
  explicit RequestName(const Operation& op) noexcept
      : value_(static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&op))) {}
  explicit RequestName(Kind kind, int fd = 0, std::uint32_t generation = 0,
                       bool writing = false) noexcept
      : value_(kind | std::uint64_t{writing} << 3 |
               static_cast<std::uint64_t>(static_cast<std::uint32_t>(fd)) << 4 |
               (generation & kGenerations) << 35) {}

  std::uint64_t value() const noexcept { return value_; }
  Kind kind() const noexcept { return static_cast<Kind>(value_ & 7); }
  Operation& op() const noexcept {
    return *reinterpret_cast<Operation*>(static_cast<std::uintptr_t>(value_));
  }
  bool writing() const noexcept { return (value_ & 8) != 0; }
  int fd() const noexcept { return static_cast<int>(value_ >> 4 & 0x7fffffff); }
  bool is_of(std::uint32_t generation) const noexcept {
    return value_ >> 35 == (generation & kGenerations);
  }

 private:
  static constexpr std::uint64_t kGenerations = (std::uint64_t{1} << 29) - 1;

  std::uint64_t value_;
};

static_assert(alignof(Operation) >= 8);

}  // namespace asyncio::detail
