// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/repeated_call.hpp"

#include <map>
#include <memory>

namespace asyncio::detail {

/// The callbacks of add_signal_handler. CPython: unix_events.py, add_signal_handler.
///
/// The handler of the process counts the signal and posts a node to the loop that watches it.
class SignalWatchers final : public Resource {
 public:
  explicit SignalWatchers(Backend& backend) : backend_(backend) { backend.add_resource(*this); }
  ~SignalWatchers();

  static SignalWatchers& of(Backend& backend);

  void add(int signal, std::unique_ptr<RepeatedCall> call);
  bool has(int signal) const { return watchers_.contains(signal); }
  /// Returns whether there was one.
  bool remove(int signal) noexcept;

 private:
  struct Watcher;

  void loop_closing() noexcept override;

  Backend& backend_;
  std::map<int, std::shared_ptr<Watcher>> watchers_;
};

}  // namespace asyncio::detail
