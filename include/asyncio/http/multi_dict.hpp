// SPDX-License-Identifier: BSL-1.0
/// Names with values, as in queries and forms: aiohttp's MultiDict.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

/// Pairs in the order in which they came; a name may be there more than once. Names are compared
/// byte by byte. A value type; views are valid until the next change.
class MultiDict {
 public:
  using value_type = std::pair<std::string, std::string>;
  using const_iterator = std::vector<value_type>::const_iterator;

  MultiDict() = default;
  MultiDict(std::initializer_list<value_type> pairs) : pairs_(pairs) {}

  std::size_t size() const noexcept { return pairs_.size(); }
  bool empty() const noexcept { return pairs_.empty(); }
  const_iterator begin() const noexcept { return pairs_.begin(); }
  const_iterator end() const noexcept { return pairs_.end(); }

  bool contains(std::string_view name) const noexcept { return find(name) != nullptr; }

  /// The first value of that name.
  std::optional<std::string_view> get(std::string_view name) const noexcept;

  /// The first value of that name, or what stands in for it, which has to live as long.
  std::string_view get(std::string_view name, std::string_view otherwise) const noexcept {
    return get(name).value_or(otherwise);
  }

  /// The first value of that name.
  ///
  /// Throws   LookupError if there is none.
  std::string_view at(std::string_view name) const;

  /// All values of that name, in order; none if it is not there.
  std::vector<std::string_view> getall(std::string_view name) const;

  /// One more, at the end.
  void add(std::string name, std::string value) {
    pairs_.emplace_back(std::move(name), std::move(value));
  }

  /// The one of that name from now on: where the first was, or at the end.
  void set(std::string_view name, std::string value);

  /// Removes all of that name and says how many there were.
  std::size_t remove(std::string_view name);

  bool operator==(const MultiDict&) const = default;

 private:
  const value_type* find(std::string_view name) const noexcept;

  std::vector<value_type> pairs_;
};

}  // namespace asyncio::http
