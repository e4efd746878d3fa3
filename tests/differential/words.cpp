// SPDX-License-Identifier: BSL-1.0
#include "words.hpp"

#include "python_exceptions.hpp"
#include <asyncio/asyncio.hpp>

#include <chrono>
#include <cstdlib>
#include <regex>

namespace differential {

using namespace asyncio;

namespace {

template <class E>
std::string with_text(const E& error) {
  static const std::regex state(" <[^>]*>");  // of a TaskGroup
  std::string name = py::type_name(error);
  std::string text = std::regex_replace(std::string(error.what()), state, "");
  return text.empty() ? name : name + " " + text;
}

/// Each kind of exception whose text Python does not have.
template <class... E>
bool untold(const std::exception& error) {
  return ((dynamic_cast<const E*>(&error) != nullptr) || ...);
}

std::string describe_group(const ExceptionGroup& group) {
  std::string text;
  for (const auto& error : group.exceptions()) {
    if (!text.empty()) text += ", ";
    text += differential::describe(error);
  }
  return py::type_name(group) + "(" + text + ")";
}

}  // namespace

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return describe_group(group);
  } catch (const std::exception& e) {
    if (untold<TimeoutError, InvalidStateError, QueueEmpty, QueueFull, QueueShutDown>(e))
      return py::type_name(e);
    return with_text(e);
  } catch (const BaseException& e) {
    return with_text(e);
  }
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return "[" + text + "]";
}

std::string show(bool value) { return value ? "True" : "False"; }

OptionalDelay limit_of(const std::string& word) {
  if (word == "none") return std::nullopt;
  return Delay(std::chrono::seconds(std::atoi(word.c_str())));
}

}  // namespace differential
