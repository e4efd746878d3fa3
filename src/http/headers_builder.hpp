// SPDX-License-Identifier: BSL-1.0
/// How a parser fills Headers without copying each field: it puts the lines as they came into their
/// buffer, and says where in it the fields are.
#pragma once

#include "asyncio/http/headers.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

class HeadersBuilder {
 public:
  /// Text may only be appended while fields are being added.
  static std::string& bytes(Headers& headers) noexcept { return headers.bytes_; }
  static const std::string& bytes(const Headers& headers) noexcept { return headers.bytes_; }

  static std::size_t held_bytes(const Headers& headers) noexcept {
    return headers.bytes_.capacity() + headers.index_.capacity() * sizeof(Headers::Entry);
  }

  /// Gives back what it has for further fields; all views stay good.
  static void drop_room(Headers& headers) { headers.index_.shrink_to_fit(); }

  /// Adds a field that lies in `bytes()`: a token, and a value without blanks around it.
  static void add(Headers& headers, std::size_t name_at, std::size_t name_size,
                  std::size_t value_at, std::size_t value_size) {
    if (headers.index_.capacity() == 0) headers.index_.reserve(kUsualFields);
    const std::string_view name(headers.bytes_.data() + name_at, name_size);
    headers.index_.push_back({static_cast<std::uint32_t>(name_at),
                              static_cast<std::uint32_t>(value_at),
                              static_cast<std::uint32_t>(value_size),
                              static_cast<std::uint16_t>(name_size), Headers::ends_of(name)});
  }

  /// Makes room for so many bytes, and a usual number of fields.
  static void reserve(Headers& headers, std::size_t bytes) {
    headers.bytes_.reserve(bytes);
    headers.index_.reserve(kUsualFields);
  }
  /// Adds a field of other Headers, which have checked it.
  static void append(Headers& headers, HeaderField field) {
    const std::size_t at = headers.bytes_.size();
    headers.bytes_.append(field.name).append(field.value);
    add(headers, at, field.name.size(), at + field.name.size(), field.value.size());
  }

  using Entry = Headers::Entry;
  static const std::vector<Entry>& index(const Headers& headers) noexcept { return headers.index_; }
  static std::string_view name(const Headers& headers, const Entry& entry) noexcept {
    return {headers.bytes_.data() + entry.name_at, entry.name_size};
  }
  static std::string_view value(const Headers& headers, const Entry& entry) noexcept {
    return {headers.bytes_.data() + entry.value_at, entry.value_size};
  }

  static constexpr std::size_t kUsualFields = 16;
};

}  // namespace asyncio::http::detail
