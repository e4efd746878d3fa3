// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/combinator.hpp"
#include "asyncio/detail/core/future_state.hpp"
#include "asyncio/detail/core/ready.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <vector>

namespace asyncio::detail {

/// The part of a gather that does not depend on types: its children and the rule when it ends.
/// Order follows asyncio/tasks.py, gather and _GatheringFuture.
class GatherChildren : private Combinator {
 public:
  /// The gather that waits through `node`, or null.
  static FutureState* owner_of(Ready& node) noexcept;

 protected:
  GatherChildren(FutureState& outer, bool return_exceptions,
                 std::vector<Ref<FutureState>> children);
  virtual ~GatherChildren() = default;

  /// Begins to wait; to be called once the whole object exists.
  void begin();
  /// Passes a cancellation on to the children; false if that reached none.
  bool cancel_children(const std::exception_ptr& reason);
  bool can_cancel_children() const;
  /// Sets the outer future's result from the children, which are all done.
  virtual void collect() = 0;

  bool return_exceptions() const noexcept { return return_exceptions_; }
  const std::vector<Ref<FutureState>>& children() const noexcept { return children_; }

 private:
  struct Child : Ready {
    Child() noexcept : Ready(&Child::ended) {}
    static void ended(Ready& node);
    GatherChildren* owner = nullptr;
  };

  bool waits_for(FutureState& child) const noexcept;
  void child_done(FutureState& child);
  void pass_on(FutureState& child);
  void collect_results();
  void loop_closing() noexcept final;

  FutureState& outer_;
  bool return_exceptions_;
  bool cancel_requested_ = false;
  std::exception_ptr reason_;  // of the latest such request that had a message
  std::size_t distinct_ = 0;
  std::size_t finished_ = 0;
  std::vector<Ref<FutureState>> children_;  // in argument order; a future may be there twice
  std::unique_ptr<Child[]> nodes_;          // of each child, by its index
};

}  // namespace asyncio::detail
