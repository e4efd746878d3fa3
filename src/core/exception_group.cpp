// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exception_group.hpp"

#include "asyncio/detail/core/nesting.hpp"

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

void let_go(std::exception_ptr& error) noexcept { error = nullptr; }

}  // namespace

ExceptionGroup::ExceptionGroup(const std::string& message,
                               std::vector<std::exception_ptr> exceptions)
    : std::runtime_error(headline(message, exceptions.size())),
      message_(message),
      exceptions_(std::move(exceptions)) {}

ExceptionGroup::~ExceptionGroup() {
  for (auto& error : exceptions_)
    detail::NestedEnds<std::exception_ptr, let_go>::add(std::move(error));
}

/// A group that is being split, and how far that has come.
struct ExceptionGroup::Split {
  explicit Split(const ExceptionGroup& whole) : group(whole) {}

  /// The part of the group with these errors, or null.
  std::optional<ExceptionGroup> part(std::vector<std::exception_ptr> errors) const {
    if (errors.empty()) return std::nullopt;
    return ExceptionGroup(group.message_, std::move(errors));
  }
  void add(const std::exception_ptr& error, bool chosen) { (chosen ? yes : no).push_back(error); }
  void add(const Split& inner) {
    if (auto chosen = inner.part(inner.yes)) yes.push_back(std::make_exception_ptr(*chosen));
    if (auto rest = inner.part(inner.no)) no.push_back(std::make_exception_ptr(*rest));
  }

  const ExceptionGroup& group;
  std::size_t next = 0;
  std::vector<std::exception_ptr> yes;
  std::vector<std::exception_ptr> no;
};

/// Groups inside groups are on a stack of their own, since they may be of any depth (R12).
std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> ExceptionGroup::split(
    const Predicate& chooses) const {
  std::vector<Split> open;
  open.emplace_back(*this);
  for (;;) {
    Split& top = open.back();
    if (top.next < top.group.exceptions_.size()) {
      const std::exception_ptr& error = top.group.exceptions_[top.next++];
      if (const ExceptionGroup* group = as_group(error))
        open.emplace_back(*group);
      else
        top.add(error, chooses(error));
      continue;
    }
    if (open.size() == 1) return {top.part(top.yes), top.part(top.no)};
    Split ended = std::move(open.back());
    open.pop_back();
    open.back().add(ended);
  }
}

std::string ExceptionGroup::tree() const {
  struct Level {
    const ExceptionGroup& group;
    std::size_t next;
  };
  std::string out;
  std::vector<Level> open;
  auto enter = [&](const ExceptionGroup& group) {
    out += std::string(open.size() * 2, ' ') + "ExceptionGroup: " + group.what() + "\n";
    open.push_back({group, 0});
  };
  enter(*this);
  while (!open.empty()) {
    Level& top = open.back();
    if (top.next == top.group.exceptions_.size()) {
      open.pop_back();
      continue;
    }
    const std::exception_ptr& error = top.group.exceptions_[top.next++];
    if (const ExceptionGroup* group = as_group(error))
      enter(*group);
    else
      out += std::string(open.size() * 2, ' ') + describe_exception(error) + "\n";
  }
  return out;
}

}  // namespace asyncio
