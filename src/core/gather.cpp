// SPDX-License-Identifier: BSL-1.0
#include "asyncio/gather.hpp"

#include "asyncio/detail/core/loop.hpp"

#include <algorithm>

namespace asyncio::detail {

GatherChildren::GatherChildren(FutureState& outer, bool return_exceptions,
                               std::vector<Ref<FutureState>> children)
    : outer_(outer), return_exceptions_(return_exceptions), children_(std::move(children)) {
  for (const auto& child : children_)
    if (&child->loop() != &outer.loop())
      throw ValueError(
          "The future belongs to a different loop than the one specified as the loop "
          "argument");
}

namespace {

bool is_gather(const Ref<FutureState>& child) noexcept { return child->cancelled_instead(); }
bool can_cancel(const Ref<FutureState>& child) { return child->can_cancel(); }

}  // namespace

void GatherChildren::Child::ended(Ready& node) {
  auto& child = static_cast<Child&>(node);
  // Each pending child holds the gather: it must see the end of all of them.
  auto keep = Ref<FutureState>::adopt(&child.owner->outer_);
  child.owner->child_done(*child.owner->children_[&child - child.owner->nodes_.get()]);
}

FutureState* GatherChildren::owner_of(Ready& node) noexcept {
  return node.run == &Child::ended ? &static_cast<Child&>(node).owner->outer_ : nullptr;
}

/// Whether the newest callback of `child` is this gather's.
bool GatherChildren::waits_for(FutureState& child) const noexcept {
  auto& callbacks = child.callbacks();
  if (callbacks.empty() || callbacks.back().run != &Child::ended) return false;
  return static_cast<Child&>(callbacks.back()).owner == this;
}

void GatherChildren::begin() {
  // Those that are done get a node, too, for a moment: it shows which were given twice.
  std::vector<std::size_t> done;
  nodes_ = std::make_unique<Child[]>(children_.size());
  for (std::size_t i = 0; i < children_.size(); ++i) {
    FutureState& child = *children_[i];
    if (waits_for(child)) continue;
    ++distinct_;
    nodes_[i].owner = this;
    child.callbacks().push_back(nodes_[i]);
    if (child.done()) done.push_back(i);
  }
  for (std::size_t index : done) nodes_[index].unlink();
  std::size_t pending = distinct_ - done.size();
  outer_.add_references(pending);
  if (pending > 0) outer_.loop().add_combinator(*this);
  if (children_.empty()) return collect();
  for (std::size_t index : done) child_done(*children_[index]);
}

void GatherChildren::child_done(FutureState& child) {
  ++finished_;
  pass_on(child);
  // Nobody needs them any more. Those that are gathers have done the same, so that gathers of
  // gathers do not end one inside the other (R12).
  if (finished_ == distinct_) std::vector<Ref<FutureState>>().swap(children_);
}

void GatherChildren::pass_on(FutureState& child) {
  // A later error is the child's own again: if nobody asks for it, it is reported (D3). CPython
  // lets it go.
  if (outer_.done()) return;
  if (!child.has_value() && !return_exceptions_) return outer_.set_exception(child.take_error());
  if (finished_ == distinct_) collect_results();
}

/// Of a cancelled gather the outcome is the CancelledError of its last child, as in CPython: of the
/// last in line, not in time. If that one did not end cancelled, it is the request's.
void GatherChildren::collect_results() {
  if (cancel_requested_) {
    FutureState& last = *children_.back();
    if (last.cancelled()) return outer_.set_exception(last.take_error());
    return outer_.set_exception(reason_ ? reason_ : std::make_exception_ptr(CancelledError()));
  }
  try {
    collect();
  } catch (...) {  // A result could not be copied: the awaiter gets that error instead.
    outer_.set_exception(std::current_exception());
  }
}

void GatherChildren::loop_closing() noexcept {
  auto keep = Ref<FutureState>::share(&outer_);
  for (std::size_t i = 0; i < children_.size(); ++i) {
    if (!nodes_[i].linked()) continue;
    nodes_[i].unlink();
    outer_.drop_reference();
  }
  children_.clear();
}

bool GatherChildren::can_cancel_children() const {
  if (outer_.done()) return false;
  if (!std::ranges::any_of(children_, is_gather)) return std::ranges::any_of(children_, can_cancel);
  // Gathers of gathers may be of any depth: no recursion (R12).
  std::vector<const std::vector<Ref<FutureState>>*> open{&children_};
  while (!open.empty()) {
    const auto& children = *open.back();
    open.pop_back();
    for (const auto& child : children) {
      if (child->done()) continue;
      if (is_gather(child))
        open.push_back(child->cancelled_instead());
      else if (can_cancel(child))
        return true;
    }
  }
  return false;
}

bool GatherChildren::cancel_children(const std::exception_ptr& reason) {
  if (outer_.done()) return false;
  bool any = false;
  for (const auto& child : children_)
    if (child->loop().pass_cancel(*child, reason)) any = true;
  if (!any) return false;
  cancel_requested_ = true;
  if (reason) reason_ = reason;
  return true;
}

}  // namespace asyncio::detail
