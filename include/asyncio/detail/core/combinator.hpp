// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/core/ready.hpp"

namespace asyncio::detail {

/// What waits for futures on behalf of another one: a gather, a shield. It holds them, and they
/// hold it until they are done; a loop that is closed before that breaks the circle.
class Combinator : public Links {
 public:
  /// Lets go of the futures. This is no longer in the loop's list, and may end its own life.
  virtual void loop_closing() noexcept = 0;

 protected:
  Combinator() noexcept = default;
  Combinator(const Combinator&) = delete;
  Combinator& operator=(const Combinator&) = delete;
  ~Combinator() { unlink(); }
};

}  // namespace asyncio::detail
