// SPDX-License-Identifier: BSL-1.0
/// The fields of an HTTP message: Headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http {

namespace detail {
class HeadersBuilder;
}

/// One field: views into its Headers.
struct HeaderField {
  std::string_view name;
  std::string_view value;
};

/// An ordered multimap of header fields; names are compared without regard to case and kept as
/// they were given. A name may occur several times; the fields stay in the order of their adding.
///
/// Names are tokens, and values hold no control character but the tab: what would split a message
/// in two is refused where it is set. White space around a value is no part of it.
///
/// Views that it gives are good until it is changed or destroyed. All fields share one buffer,
/// which `clear` keeps: Headers that are used again allocate nothing.
///
/// Thread   any, as long as nobody changes it.
/// asyncio  aiohttp: CIMultiDict
class Headers {
 public:
  class Iterator;

  Headers() = default;
  /// Throws   ValueError as `add`.
  Headers(std::initializer_list<HeaderField> fields);

  /// Adds a field at the end.
  ///
  /// Throws   ValueError if the name is no token, or the value holds a control character.
  void add(std::string_view name, std::string_view value);
  /// Gives the first field of that name the value, where it is, and removes the others; adds one if
  /// there is none.
  ///
  /// Throws   ValueError as `add`.
  void set(std::string_view name, std::string_view value);
  /// Removes all fields of that name.
  ///
  /// Returns  how many there were.
  std::size_t remove(std::string_view name);
  /// Removes all fields; keeps the memory.
  void clear() noexcept;

  /// The value of the first field of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;
  /// The same, or `otherwise` if there is none.
  std::string_view get(std::string_view name, std::string_view otherwise) const noexcept;
  /// The values of all fields of that name, in order.
  std::vector<std::string_view> getall(std::string_view name) const;
  bool contains(std::string_view name) const noexcept;

  std::size_t size() const noexcept { return index_.size(); }
  bool empty() const noexcept { return index_.empty(); }
  /// The field at a position, which has to be below `size()`.
  HeaderField operator[](std::size_t position) const noexcept {
    const Entry& entry = index_[position];
    return {std::string_view(bytes_).substr(entry.name_at, entry.name_size),
            std::string_view(bytes_).substr(entry.value_at, entry.value_size)};
  }
  Iterator begin() const noexcept;
  Iterator end() const noexcept;

 private:
  friend class detail::HeadersBuilder;

  /// Where a field is in `bytes_`. `ends` is the name's first and last character with the bit of
  /// lower case, so that a look at the index alone passes over nearly all other names.
  struct Entry {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint16_t name_size;
    std::uint16_t ends;
  };

  static std::uint16_t ends_of(std::string_view name) noexcept {
    if (name.empty()) return 0;
    const auto first = static_cast<unsigned char>(name.front());
    const auto last = static_cast<unsigned char>(name.back());
    return static_cast<std::uint16_t>((first << 8 | last) | 0x2020);
  }
  bool named(const Entry& entry, std::string_view name, std::uint16_t ends) const noexcept;
  const Entry* find(std::string_view name) const noexcept;
  void drop_unused_bytes(std::size_t to_come);

  std::string bytes_;  // of fields that are gone, too, until they are more than the others
  std::vector<Entry> index_;
};

/// Goes over the fields in order; each is given by value.
class Headers::Iterator {
 public:
  using iterator_concept = std::forward_iterator_tag;
  using iterator_category = std::input_iterator_tag;
  using value_type = HeaderField;
  using reference = HeaderField;
  using pointer = void;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  HeaderField operator*() const noexcept { return (*headers_)[position_]; }
  Iterator& operator++() noexcept {
    ++position_;
    return *this;
  }
  Iterator operator++(int) noexcept {
    Iterator before = *this;
    ++position_;
    return before;
  }
  bool operator==(const Iterator&) const = default;

 private:
  friend class Headers;
  Iterator(const Headers* headers, std::size_t position) noexcept
      : headers_(headers), position_(position) {}

  const Headers* headers_ = nullptr;
  std::size_t position_ = 0;
};

inline Headers::Iterator Headers::begin() const noexcept { return {this, 0}; }
inline Headers::Iterator Headers::end() const noexcept { return {this, size()}; }

}  // namespace asyncio::http
