// SPDX-License-Identifier: BSL-1.0
/// Heads and their fields as bytes behind a text: HeadWriter.
#pragma once

#include "http/headers_builder.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

/// Appends pieces to a string. There is room for all of them before the first comes: to look for it
/// with each costs more than to copy it.
class HeadWriter {
 public:
  /// The bytes that the fields take at most.
  static std::size_t room_for(const Headers& headers) noexcept {
    return HeadersBuilder::bytes(headers).size() + headers.size() * kAroundField;
  }
  /// For so many bytes at most.
  HeadWriter(std::string& out, std::size_t room) : out_(out) {
    const std::size_t begin = out.size();
    out.resize(begin + room);
    at_ = out.data() + begin;
  }
  HeadWriter(const HeadWriter&) = delete;
  HeadWriter& operator=(const HeadWriter&) = delete;
  ~HeadWriter() { out_.resize(static_cast<std::size_t>(at_ - out_.data())); }

  HeadWriter& put(std::string_view text) noexcept {
    std::char_traits<char>::copy(at_, text.data(), text.size());
    at_ += text.size();
    return *this;
  }
  HeadWriter& put_number(std::uint64_t number) noexcept {
    at_ = std::to_chars(at_, at_ + kMostDigits, number).ptr;
    return *this;
  }
  void put_field(std::string_view name, std::string_view value) noexcept {
    put(name).put(": ").put(value).put("\r\n");
  }
  void put_fields(const Headers& headers) noexcept {
    for (const auto [name, value] : headers) put_field(name, value);
  }

 private:
  static constexpr std::size_t kMostDigits = std::numeric_limits<std::uint64_t>::digits10 + 1;
  static constexpr std::size_t kAroundField = std::string_view(": \r\n").size();

  std::string& out_;
  char* at_;
};

}  // namespace asyncio::http::detail
