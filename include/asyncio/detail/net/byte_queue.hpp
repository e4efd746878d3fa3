// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

/// Bytes that were received and not yet read. Holds little memory while it is empty and nothing is
/// lent: what a small message needs again at once.
class ByteQueue {
 public:
  bool empty() const noexcept { return begin_ == bytes_.size(); }
  std::size_t size() const noexcept { return bytes_.size() - begin_; }
  std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }

  void append(std::string_view bytes) {
    if (lent_ && bytes_.size() + bytes.size() > bytes_.capacity()) set_aside();
    // Moving what is left to the front is paid for by the bytes that were taken before.
    if (!lent_ && begin_ > bytes_.size() / 2) {
      bytes_.erase(0, begin_);
      begin_ = 0;
    }
    bytes_.append(bytes);
  }

  void prepend(std::string_view bytes) {
    bytes_.replace(0, begin_, bytes);
    begin_ = 0;
  }

  /// Removes and returns the first `count` bytes, or all.
  std::string take(std::size_t count) {
    if (count >= bytes_.size() && begin_ == 0) {
      std::string all = std::exchange(bytes_, {});
      if (all.capacity() / 2 > all.size() && all.capacity() > kSpareBytes) all.shrink_to_fit();
      return all;
    }
    std::string taken(view().substr(0, count));
    drop(count);
    return taken;
  }

  /// As `take`, without a copy: the bytes stay in their place until `end_loan`, whatever is
  /// appended.
  std::string_view lend(std::size_t count) {
    // A short string keeps its bytes in itself, where they could not be set aside.
    bytes_.reserve(sizeof bytes_);
    std::string_view lent = view().substr(0, count);
    begin_ += lent.size();
    lent_ = true;
    return lent;
  }
  void end_loan() noexcept {
    if (!lent_ && !set_aside_) return;
    lent_ = false;
    set_aside_.reset();
    if (empty()) clear();
  }

  std::size_t take_into(char* to, std::size_t count) {
    count = std::min(count, size());
    if (count == 0) return 0;
    std::memcpy(to, bytes_.data() + begin_, count);
    drop(count);
    return count;
  }

  void drop(std::size_t count) noexcept {
    begin_ += std::min(count, size());
    if (empty()) clear();
  }

  void clear() noexcept {
    bytes_.clear();
    begin_ = 0;
    if (bytes_.capacity() > kSpareBytes) give_back();
  }

  /// The memory, if it is empty: nothing is expected soon.
  void give_back() noexcept {
    // Assigning an empty string would keep it.
    if (empty() && !lent_) std::string().swap(bytes_);
  }

 private:
  static constexpr std::size_t kSpareBytes = 1024;

  /// What is lent needs its memory, so the rest moves.
  void set_aside() {
    std::string rest(view());
    set_aside_ = std::make_unique<std::string>(std::move(bytes_));
    bytes_ = std::move(rest);
    begin_ = 0;
    lent_ = false;
  }

  std::string bytes_;
  std::size_t begin_ = 0;
  bool lent_ = false;  // bytes before `begin_`
  std::unique_ptr<std::string> set_aside_;
};

}  // namespace asyncio::detail
