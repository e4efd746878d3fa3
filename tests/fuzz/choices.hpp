// SPDX-License-Identifier: BSL-1.0
/// What the fuzz targets share: bytes as decisions, and what to do when an invariant is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fuzz {

/// Each decision takes a byte; when there are none left, all are 0, which targets take for "stop".
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}

  bool any() const noexcept { return size_ > 0; }
  std::uint8_t byte() noexcept {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  /// 0 to `end - 1`.
  int below(int end) noexcept { return byte() % end; }
  bool one_in(int n) noexcept { return below(n) == 1; }
  /// Up to `count` bytes as they are.
  std::string text(std::size_t count) {
    count = count < size_ ? count : size_;
    std::string taken(reinterpret_cast<const char*>(data_), count);
    data_ += count;
    size_ -= count;
    return taken;
  }
  std::string rest() { return text(size_); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

/// Ends the process with a message: libFuzzer keeps the input.
[[noreturn]] inline void fail(std::string_view what) {
  std::fprintf(stderr, "invariant broken: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline void check(bool holds, std::string_view what) {
  if (!holds) fail(what);
}

}  // namespace fuzz
