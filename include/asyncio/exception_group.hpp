// SPDX-License-Identifier: BSL-1.0
/// Several errors at once (PEP 654): what a TaskGroup throws, and how to take it apart.
#pragma once

#include "asyncio/exceptions.hpp"

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {

template <class E>
bool holds(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const E&) {
    return true;
  } catch (...) {  // Only asks for the type.
    return false;
  }
}

}  // namespace detail

/// A tree of errors under one message. Copying shares the errors.
///
/// asyncio  Built-in Exceptions, ExceptionGroup
class ExceptionGroup : public std::runtime_error {
 public:
  /// Throws   ValueError if `exceptions` is empty.
  ExceptionGroup(const std::string& message, std::vector<std::exception_ptr> exceptions);
  ExceptionGroup(const ExceptionGroup&) = default;
  ExceptionGroup(ExceptionGroup&&) = default;
  ExceptionGroup& operator=(const ExceptionGroup&) = default;
  ExceptionGroup& operator=(ExceptionGroup&&) = default;
  ~ExceptionGroup() override;

  /// The message without the count that `what()` adds.
  const std::string& message() const noexcept { return message_; }
  /// The direct children, in the order in which they were collected.
  const std::vector<std::exception_ptr>& exceptions() const noexcept { return exceptions_; }

  /// A group of the same message with other errors.
  ExceptionGroup derive(std::vector<std::exception_ptr> exceptions) const {
    return ExceptionGroup(message_, std::move(exceptions));
  }

  /// The part of the tree whose leaves are an E, with the same shape; empty if there is none.
  template <class E>
  std::optional<ExceptionGroup> subgroup() const {
    return split<E>().first;
  }

  /// The leaves that are an E, and all others.
  template <class E>
  std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split() const {
    return split(&detail::holds<E>);
  }

  /// The same for the leaves that a function chooses.
  using Predicate = std::function<bool(const std::exception_ptr&)>;
  std::optional<ExceptionGroup> subgroup(const Predicate& chooses) const {
    return split(chooses).first;
  }
  std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split(
      const Predicate& chooses) const;

  /// The whole tree as text, a line for each error.
  std::string tree() const;

 private:
  struct Split;

  std::string message_;
  std::vector<std::exception_ptr> exceptions_;
};

/// One `except*` clause for handle_group: `on<ValueError>([](const ExceptionGroup& errors) {...})`.
template <class E, class F>
struct GroupHandler {
  explicit GroupHandler(F function) : handler(std::move(function)) {}
  F handler;
};

template <class E, class F>
GroupHandler<E, F> on(F handler) {
  return GroupHandler<E, F>(std::move(handler));
}

/// Gives each handler the part of `group` that matches its type, first match first, as a
/// succession of `except*` does: also when the handler before it has thrown.
///
/// Throws   an ExceptionGroup of what no handler took; if handlers have thrown, one of what they
///          threw and that.
template <class... Handlers>
void handle_group(const ExceptionGroup& group, Handlers&&... handlers) {
  std::optional<ExceptionGroup> rest = group;
  std::vector<std::exception_ptr> thrown;
  auto apply = [&]<class E, class F>(GroupHandler<E, F>& clause) {
    if (!rest) return;
    auto [matched, others] = rest->template split<E>();
    rest = std::move(others);
    if (!matched) return;
    try {
      clause.handler(std::as_const(*matched));
    } catch (...) {  // Thrown in the end, with the others.
      thrown.push_back(std::current_exception());
    }
  };
  (apply(handlers), ...);
  if (thrown.empty() && rest) throw *std::move(rest);
  if (thrown.empty()) return;
  if (rest) thrown.push_back(std::make_exception_ptr(*std::move(rest)));
  throw ExceptionGroup("", std::move(thrown));
}

}  // namespace asyncio
