// SPDX-License-Identifier: BSL-1.0
/// print, str and f-strings.
#pragma once

#include <asyncio/asyncio.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

namespace py {

// str(x), for each type that a program prints. All are declared before the first that calls
// another.
inline std::string str(std::nullptr_t) { return "None"; }
inline std::string str(std::nullopt_t) { return "None"; }
inline std::string str(std::monostate) { return "None"; }
inline std::string str(asyncio::Unit) { return "None"; }
inline std::string str(std::string_view text) { return std::string(text); }
inline std::string str(const char* text) { return text; }
inline std::string str(const std::string& text) { return text; }
inline std::string str(char character) { return std::string(1, character); }
inline std::string str(const std::exception& error) { return error.what(); }
inline std::string str(const asyncio::BaseException& error) { return error.what(); }
inline std::string str(const std::exception_ptr& error);
inline std::string str(const asyncio::TaskHandle& task) { return "<Task " + task.get_name() + ">"; }
inline std::string str(asyncio::TimePoint time);
template <std::integral Number>
std::string str(Number value) {
  if constexpr (std::same_as<Number, bool>)
    return value ? "True" : "False";
  else
    return std::to_string(value);
}
template <std::floating_point Number>
std::string str(Number value);
template <class T>
std::string str(const std::optional<T>& value) {
  return value ? str(*value) : "None";
}
template <class T>
std::string str(const asyncio::Result<T>& result) {
  return result ? str(*result) : str(result.exception());
}
template <class Signature>
std::string str(const std::function<Signature>& function) {
  return function ? "<function>" : "None";
}

inline std::string str(const std::exception_ptr& error) {
  if (!error) return "None";
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (const asyncio::BaseException& e) {
    return e.what();
  }
}

/// The shortest text that reads back as the same number, and always one with a point.
template <std::floating_point Number>
std::string str(Number value) {
  std::array<char, 64> buffer;
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

/// The reading of a loop's clock, in seconds.
inline std::string str(asyncio::TimePoint time) {
  return str(std::chrono::duration<double>(time.time_since_epoch()).count());
}

/// f("{} of {}", 1, 2): the arguments take the places of the braces.
template <class... Args>
std::string f(std::string_view format, const Args&... args) {
  std::string text;
  auto place = [&](const std::string& word) {
    std::size_t braces = format.find("{}");
    text += format.substr(0, braces);
    text += word;
    format.remove_prefix(braces + 2);
  };
  (place(str(args)), ...);
  return text += format;
}

/// sep.join(range).
template <std::ranges::input_range R>
std::string join(std::string_view separator, const R& range) {
  std::string text;
  for (bool first = true; const auto& element : range) {
    if (!std::exchange(first, false)) text += separator;
    text += str(element);
  }
  return text;
}

/// The arguments `*range` of print.
class Unpacked {
 public:
  std::vector<std::string> words;
};

template <std::ranges::input_range R>
Unpacked unpack(const R& range) {
  Unpacked unpacked;
  for (const auto& element : range) unpacked.words.push_back(str(element));
  return unpacked;
}
template <class... T>
Unpacked unpack(const std::tuple<T...>& tuple) {
  Unpacked unpacked;
  std::apply([&](const T&... element) { (unpacked.words.push_back(str(element)), ...); }, tuple);
  return unpacked;
}

/// An object, so that it can be given away as in `loop.call_soon(print, "text")`.
class Print {
 public:
  template <class... Args>
  void operator()(const Args&... args) const {
    std::vector<std::string> words;
    (add(words, args), ...);
    std::string line = join(" ", words) + "\n";
    std::fwrite(line.data(), 1, line.size(), stdout);
  }

 private:
  template <class T>
  static void add(std::vector<std::string>& words, const T& argument) {
    if constexpr (std::same_as<T, Unpacked>)
      words.insert(words.end(), argument.words.begin(), argument.words.end());
    else
      words.push_back(str(argument));
  }
};
inline constexpr Print print;

}  // namespace py
