// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/child_state.hpp"
#include "asyncio/subprocess.hpp"
#include "owned_socket.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

/// What a child is to have as its descriptors 0 to 2, and the parent's ends of its pipes.
class ChildPipes {
 public:
  /// Throws OSError.
  ChildPipes(Backend& backend, const SubprocessOptions& options);
  ~ChildPipes() { close_child_ends(); }
  ChildPipes(const ChildPipes&) = delete;
  ChildPipes& operator=(const ChildPipes&) = delete;

  const std::array<int, 3>& child_ends() const noexcept { return child_; }
  /// Once the child has them.
  void close_child_ends() noexcept;
  bool has(int fd) const noexcept { return parent_[static_cast<std::size_t>(fd)].get() >= 0; }
  OwnedSocket& parent_end(int fd) noexcept { return parent_[static_cast<std::size_t>(fd)]; }

 private:
  void redirect(Backend& backend, std::size_t which, Redirection where, int pipesize);

  std::array<int, 3> child_{-1, -1, -1};
  std::array<bool, 3> ours_{};  // not the caller's
  std::array<OwnedSocket, 3> parent_;
};

/// Starts the program and watches for its end.
std::shared_ptr<ChildState> start_child(Backend& backend, const SubprocessOptions& options,
                                        const std::vector<std::string>& args, ChildPipes& pipes);

}  // namespace asyncio::detail
