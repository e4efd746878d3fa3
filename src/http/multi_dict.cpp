// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/multi_dict.hpp"

#include "asyncio/exceptions.hpp"

#include <algorithm>

namespace asyncio::http {

const MultiDict::value_type* MultiDict::find(std::string_view name) const noexcept {
  auto at = std::ranges::find(pairs_, name, &value_type::first);
  return at == pairs_.end() ? nullptr : &*at;
}

std::optional<std::string_view> MultiDict::get(std::string_view name) const noexcept {
  const value_type* found = find(name);
  return found ? std::optional<std::string_view>(found->second) : std::nullopt;
}

std::string_view MultiDict::at(std::string_view name) const {
  const value_type* found = find(name);
  if (!found) throw LookupError("there is no '" + std::string(name) + "'");
  return found->second;
}

std::vector<std::string_view> MultiDict::getall(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& [key, value] : pairs_)
    if (key == name) values.push_back(value);
  return values;
}

void MultiDict::set(std::string_view name, std::string value) {
  auto first = std::ranges::find(pairs_, name, &value_type::first);
  if (first == pairs_.end()) return add(std::string(name), std::move(value));
  first->second = std::move(value);
  auto rest = std::remove_if(first + 1, pairs_.end(),
                             [name](const value_type& pair) { return pair.first == name; });
  pairs_.erase(rest, pairs_.end());
}

std::size_t MultiDict::remove(std::string_view name) {
  return std::erase_if(pairs_, [name](const value_type& pair) { return pair.first == name; });
}

}  // namespace asyncio::http
