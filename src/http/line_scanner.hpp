// SPDX-License-Identifier: BSL-1.0
/// How many bytes of a head, or of trailers, may be looked at before a limit is passed:
/// LineScanner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

namespace asyncio::http::detail {

/// Counts the bytes of lines. It only knows where a line ends; what is in it is the parser's.
/// A limit is passed at the same byte however the input is split.
class LineScanner {
 public:
  enum class Excess : std::uint8_t { none, start_line, field, block };

  /// What may be given to the parser, and the limit that the next byte would pass.
  struct Piece {
    std::size_t size;
    Excess excess;
  };

  /// Sizes of lines are without their ends. Without a start line an empty line is the last.
  void begin(bool has_start_line, std::size_t start_line, std::size_t field,
             std::size_t block) noexcept {
    in_start_line_ = has_start_line;
    start_line_ = with_end(start_line);
    field_ = with_end(field);
    block_left_ = block;
    line_ = 0;
  }

  /// Looks at input up to the empty line after the last one.
  Piece take(std::string_view input) noexcept {
    std::size_t taken = 0;
    while (taken < input.size()) {
      const std::size_t line_left = (in_start_line_ ? start_line_ : field_) - line_;
      const std::size_t room = std::min(line_left, block_left_);
      if (room == 0) return {taken, excess(line_left)};
      const std::string_view window = input.substr(taken, room);
      const void* found = std::memchr(window.data(), '\n', window.size());
      if (!found) {
        count(window.size(), taken);
        continue;
      }
      count(static_cast<std::size_t>(static_cast<const char*>(found) - window.data()) + 1, taken);
      const bool empty = line_ <= 2;
      line_ = 0;
      if (!empty)
        in_start_line_ = false;
      else if (!in_start_line_)
        break;
    }
    return {taken, Excess::none};
  }

  /// Whether no limit could be passed by so many bytes, whatever they are.
  bool allows(std::size_t size) const noexcept {
    const std::size_t least = std::min({start_line_, field_, block_left_});
    return line_ < least && size <= least - line_;
  }

 private:
  static std::size_t with_end(std::size_t line) noexcept {
    return std::min<std::size_t>(line, std::numeric_limits<std::uint32_t>::max()) + 2;
  }
  Excess excess(std::size_t line_left) const noexcept {
    if (line_left != 0) return Excess::block;
    return in_start_line_ ? Excess::start_line : Excess::field;
  }
  void count(std::size_t size, std::size_t& taken) noexcept {
    line_ += size;
    block_left_ -= size;
    taken += size;
  }

  std::size_t start_line_ = 0;
  std::size_t field_ = 0;
  std::size_t block_left_ = 0;
  std::size_t line_ = 0;
  bool in_start_line_ = false;
};

}  // namespace asyncio::http::detail
