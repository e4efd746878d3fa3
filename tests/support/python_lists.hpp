// SPDX-License-Identifier: BSL-1.0
/// range, enumerate, map and the other small change of lists and dictionaries.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <functional>
#include <iterator>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace py {

inline auto range(int end) { return std::views::iota(0, end); }
inline auto range(int begin, int end) { return std::views::iota(begin, end); }

/// [function(x) for x in range]
template <class F, std::ranges::input_range R>
auto map(F function, R&& range) {
  using Result = std::decay_t<std::invoke_result_t<F&, std::ranges::range_reference_t<R>>>;
  std::vector<Result> results;
  for (auto&& element : range) results.push_back(std::invoke(function, element));
  return results;
}

/// [x for x in range if keep(x)]
template <class F, std::ranges::input_range R>
auto filter(F keep, const R& range) {
  std::vector<std::ranges::range_value_t<R>> kept;
  std::ranges::copy_if(range, std::back_inserter(kept), keep);
  return kept;
}

/// [a, b, c], also of what cannot be copied.
template <class First, class... Rest>
std::vector<std::decay_t<First>> list(First&& first, Rest&&... rest) {
  std::vector<std::decay_t<First>> elements;
  elements.push_back(std::forward<First>(first));
  (elements.push_back(std::forward<Rest>(rest)), ...);
  return elements;
}
/// list(results): a tuple of one type, for going through in a loop.
template <class First, class... Rest>
std::vector<First> list(std::tuple<First, Rest...> tuple) {
  return std::apply([](auto&... element) { return list(std::move(element)...); }, tuple);
}

/// `for (auto [i, x] : enumerate(list))`
template <std::ranges::input_range R>
auto enumerate(const R& range) {
  std::vector<std::pair<std::size_t, std::ranges::range_value_t<R>>> pairs;
  for (const auto& element : range) pairs.emplace_back(pairs.size(), element);
  return pairs;
}

template <std::ranges::input_range R>
auto sorted(const R& range) {
  std::vector<std::ranges::range_value_t<R>> elements(range.begin(), range.end());
  std::ranges::sort(elements);
  return elements;
}

template <class Sized>
std::size_t len(const Sized& sized) {
  return std::size(sized);
}
template <class... T>
std::size_t len(const std::tuple<T...>&) {
  return sizeof...(T);
}

/// x in range
template <class T, std::ranges::input_range R>
bool in(const T& value, const R& range) {
  return std::ranges::any_of(range, [&](const auto& element) { return element == value; });
}

template <std::ranges::input_range R>
auto sum(const R& range) {
  std::ranges::range_value_t<R> total{};
  for (const auto& element : range) total += element;
  return total;
}
template <class... T>
auto sum(const std::tuple<T...>& tuple) {
  return std::apply([](const T&... element) { return (element + ...); }, tuple);
}

inline std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// text.split().
inline std::vector<std::string> split(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

/// Without white space at the ends.
inline std::string strip(const std::string& text) {
  constexpr const char* kSpace = " \t\r\n";
  std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// A dictionary with names as keys, which keeps the order of insertion.
template <class Value>
class Dict {
 public:
  Dict() = default;

  Value& operator[](const std::string& key) {
    for (auto& [name, value] : items_) {
      if (name == key) return value;
    }
    return items_.emplace_back(key, Value()).second;
  }
  bool contains(const std::string& key) const { return in(key, keys()); }
  std::vector<std::string> keys() const {
    return map([](const auto& item) { return item.first; }, items_);
  }
  void update(const Dict& other) {
    for (const auto& [name, value] : other.items_) (*this)[name] = value;
  }
  std::size_t size() const noexcept { return items_.size(); }

 private:
  std::vector<std::pair<std::string, Value>> items_;
};

}  // namespace py
