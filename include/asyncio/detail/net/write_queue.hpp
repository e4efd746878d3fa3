// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// Bytes that the kernel has not taken yet. Small pieces are joined, so that what they cost beyond
/// their size stays bounded.
class WriteQueue {
 public:
  bool empty() const noexcept { return bytes_ == 0; }
  std::size_t size() const noexcept { return bytes_; }

  void push(std::string&& chunk) {
    if (chunk.size() < kSmall) return push(std::string_view(chunk));
    std::size_t size = chunk.size();
    chunks_.push_back(std::move(chunk));
    bytes_ += size;
  }

  void push(std::string_view chunk) {
    if (chunk.empty()) return;
    if (chunks_.size() > first_ && chunk.size() < kSmall && chunks_.back().size() < kJoined)
      chunks_.back().append(chunk);
    else
      chunks_.emplace_back(chunk);
    bytes_ += chunk.size();
  }

  /// Calls `each(std::string_view)` for at most `count` chunks.
  template <class F>
  void visit(std::size_t count, F each) const {
    for (std::size_t i = first_; i < chunks_.size() && count > 0; ++i, --count)
      each(std::string_view(chunks_[i]).substr(i == first_ ? offset_ : 0));
  }

  void drop(std::size_t count) {
    bytes_ -= count;
    while (count > 0) {
      std::size_t left = chunks_[first_].size() - offset_;
      if (count < left) {
        offset_ += count;
        return;
      }
      count -= left;
      std::string().swap(chunks_[first_++]);  // assigning it would keep the memory
      offset_ = 0;
    }
    if (first_ == chunks_.size())
      clear();
    else if (first_ > chunks_.size() / 2)
      compact();
  }

  void clear() noexcept {
    std::vector<std::string>().swap(chunks_);
    first_ = offset_ = bytes_ = 0;
  }

 private:
  static constexpr std::size_t kSmall = 2048;
  static constexpr std::size_t kJoined = 16 * 1024;

  void compact() {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<std::string> chunks_;
  std::size_t first_ = 0;   // the chunk to send next,
  std::size_t offset_ = 0;  // and how much of it has been sent
  std::size_t bytes_ = 0;
};

}  // namespace asyncio::detail
