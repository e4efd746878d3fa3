// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

namespace asyncio::detail {

/// A node that another thread gives to a loop with Loop::post, and with it the right to the object.
/// It arrives, or it is discarded because the loop closes first; one of the two, once for each
/// post, on the thread of the loop.
class Posted : public Ready {
 public:
  static Posted* of(Ready& node) noexcept {
    return node.run == &Posted::run_arrived ? static_cast<Posted*>(&node) : nullptr;
  }

  virtual void arrived() = 0;
  virtual void discarded() noexcept = 0;

 protected:
  Posted() noexcept : Ready(&Posted::run_arrived) {}
  ~Posted() = default;

 private:
  static void run_arrived(Ready& node) { static_cast<Posted&>(node).arrived(); }
};

}  // namespace asyncio::detail
