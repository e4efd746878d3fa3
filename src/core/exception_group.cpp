// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exception_group.hpp"

namespace asyncio {

namespace {

std::string headline(const std::string& message, std::size_t count) {
  if (count == 0) throw ValueError("ExceptionGroup needs at least one exception");
  return message + " (" + std::to_string(count) +
         (count == 1 ? " sub-exception)" : " sub-exceptions)");
}

/// The group inside `error`, or null.
const ExceptionGroup* as_group(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return &group;  // Lives as long as `error`: rethrowing does not copy in the Itanium ABI.
  } catch (...) {   // Only asks for the type.
    return nullptr;
  }
}

}  // namespace

ExceptionGroup::ExceptionGroup(const std::string& message,
                               std::vector<std::exception_ptr> exceptions)
    : std::runtime_error(headline(message, exceptions.size())),
      message_(message),
      exceptions_(std::move(exceptions)) {}

std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> ExceptionGroup::split(
    const Predicate& chooses) const {
  std::vector<std::exception_ptr> yes;
  std::vector<std::exception_ptr> no;
  for (const auto& error : exceptions_) {
    if (const ExceptionGroup* group = as_group(error)) {
      auto [matched, rest] = group->split(chooses);
      if (matched) yes.push_back(std::make_exception_ptr(*std::move(matched)));
      if (rest) no.push_back(std::make_exception_ptr(*std::move(rest)));
    } else {
      (chooses(error) ? yes : no).push_back(error);
    }
  }
  std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> parts;
  if (!yes.empty()) parts.first.emplace(message_, std::move(yes));
  if (!no.empty()) parts.second.emplace(message_, std::move(no));
  return parts;
}

std::string ExceptionGroup::tree() const {
  std::string out;
  print_to(out, 0);
  return out;
}

void ExceptionGroup::print_to(std::string& out, int depth) const {
  std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  out += indent + "ExceptionGroup: " + what() + "\n";
  for (const auto& error : exceptions_) {
    if (const ExceptionGroup* group = as_group(error))
      group->print_to(out, depth + 1);
    else
      out += indent + "  " + describe_exception(error) + "\n";
  }
}

}  // namespace asyncio
