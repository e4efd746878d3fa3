// SPDX-License-Identifier: BSL-1.0
/// A body while its parts come in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http::detail {

/// Takes as much memory as has come until it is whole: one string that grows would be there twice
/// at times, and who sends what is refused at the limit would get half as much again.
class GatheredBody {
 public:
  std::size_t size() const noexcept { return size_; }

  void append(std::string_view part) {
    size_ += part.size();
    while (!part.empty()) {
      std::string& last = rest_.empty() ? begin_ : rest_.back();
      const std::size_t room = kPiece - std::min(kPiece, last.size());
      last += part.substr(0, room);
      part.remove_prefix(std::min(room, part.size()));
      if (!part.empty()) rest_.emplace_back().reserve(kPiece);
    }
  }
  /// Most bodies are one part.
  void append(std::string&& part) {
    if (size_ > 0) return append(std::string_view(part));
    size_ = part.size();
    begin_ = std::move(part);
  }

  /// All of it. Nothing is left, unless it throws for lack of memory: then nothing has changed.
  std::string take() {
    begin_.reserve(size_);
    for (std::string& piece : rest_) begin_ += std::exchange(piece, {});
    rest_.clear();
    size_ = 0;
    return std::exchange(begin_, {});
  }

 private:
  static constexpr std::size_t kPiece = std::size_t{64} << 10;

  std::string begin_;
  std::vector<std::string> rest_;  // pieces that are full, but for the last
  std::size_t size_ = 0;
};

}  // namespace asyncio::http::detail
