// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/repeated_call.hpp"

#include <map>
#include <memory>
#include <utility>

namespace asyncio::detail {

/// The callbacks of add_reader and add_writer. CPython: selector_events.py, _add_reader and its
/// kin.
///
/// A callback is called once an iteration while its descriptor is ready: a poll operation asks anew
/// after each call.
class DescriptorWatchers final : public Resource {
 public:
  enum class Direction : bool { read, write };

  explicit DescriptorWatchers(Backend& backend) : backend_(backend) { backend.add_resource(*this); }
  ~DescriptorWatchers();

  static DescriptorWatchers& of(Backend& backend);

  /// Replaces the callback of this descriptor and direction, if there is one. Throws OSError for
  /// what cannot be watched.
  void add(int fd, Direction direction, std::unique_ptr<RepeatedCall> call);
  /// Returns whether there was one.
  bool remove(int fd, Direction direction) noexcept;

 private:
  struct Watcher;

  static void on_ready(Ready& node);
  /// Asks for the next time. Throws OSError.
  void ask(Watcher& watcher);
  void loop_closing() noexcept override;

  Backend& backend_;
  std::map<std::pair<int, Direction>, std::shared_ptr<Watcher>> watchers_;
};

}  // namespace asyncio::detail
