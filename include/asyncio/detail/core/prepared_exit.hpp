// SPDX-License-Identifier: BSL-1.0
/// The end of a scope, with its frame.
#pragma once

#include "asyncio/coro.hpp"

#include <optional>
#include <utility>

namespace asyncio::detail {

/// Made as the scope begins: without the memory for it at the end, nothing could be left.
class PreparedExit {
 public:
  PreparedExit() = default;
  PreparedExit(PreparedExit&&) = delete;
  PreparedExit& operator=(PreparedExit&&) = delete;
  ~PreparedExit() {
    if (exit_) exit_->close();
  }

  explicit operator bool() const noexcept { return exit_.has_value(); }
  void prepare(Coro<bool> exit) { exit_.emplace(std::move(exit)); }
  Coro<bool> take() {
    Coro<bool> exit = std::move(*exit_);
    exit_.reset();
    return exit;
  }

 private:
  std::optional<Coro<bool>> exit_;
};

}  // namespace asyncio::detail
