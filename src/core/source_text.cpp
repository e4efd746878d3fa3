// SPDX-License-Identifier: BSL-1.0
#include "source_text.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace asyncio::detail {

std::string source_text(const std::source_location& where) {
  if (where.line() == 0) return {};
  return std::string(where.file_name()) + ":" + std::to_string(where.line());
}

namespace {

/// The index of the bracket that opens the one closed at `close`.
std::size_t opening(std::string_view text, std::size_t close, char open_char, char close_char) {
  int depth = 0;
  for (std::size_t i = close + 1; i-- > 0;) {
    if (text[i] == close_char) ++depth;
    if (text[i] == open_char && --depth == 0) return i;
  }
  return std::string_view::npos;
}

/// The name as the source has it: compilers spell unnamed namespaces out.
std::string without_anonymous(std::string_view text) {
  std::string name(text);
  for (std::string_view unnamed : {"(anonymous namespace)::", "{anonymous}::"}) {
    for (auto at = name.find(unnamed); at != std::string::npos; at = name.find(unnamed))
      name.erase(at, unnamed.size());
  }
  return name;
}

/// Also without what compilers append about them: g++ " [with T = int]", clang " [T = int]".
std::string without_template_arguments(std::string_view text) {
  std::string rest;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (depth == 0 && text.substr(i).starts_with(" [")) break;
    if (text[i] == '<') ++depth;
    if (depth == 0) rest += text[i];
    if (text[i] == '>') --depth;
  }
  return rest;
}

}  // namespace

std::string function_name(const std::source_location& where) {
  return plain_function_name(where.function_name());
}

std::string plain_function_name(std::string_view spelled) {
  std::string name = without_template_arguments(spelled);
  std::string_view text = name;
  // clang: "auto main()::(anonymous class)::operator()() const"; g++: "main()::<lambda()>", of
  // which the last part is gone.
  if (text.find("(anonymous class)::operator()") != std::string_view::npos || text.ends_with("::"))
    return "<lambda>";
  if (auto last = text.rfind(')'); last != std::string_view::npos) {
    auto open = opening(text, last, '(', ')');
    if (open != std::string_view::npos) text = text.substr(0, open);
  }
  // What is left is "return-type name"; only the return type can hold a space outside brackets.
  int depth = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == ')' || text[i] == '}') ++depth;
    if (text[i] == '(' || text[i] == '{') --depth;
    if (text[i] != ' ' || depth != 0) continue;
    text = text.substr(i + 1);
    break;
  }
  return without_anonymous(text);
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : type.name();
}

}  // namespace asyncio::detail
