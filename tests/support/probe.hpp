// SPDX-License-Identifier: BSL-1.0
/// Operations by hand, below everything that users see.
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/sleep.hpp"

#include <string>

namespace test {

/// The backend of the running loop.
inline asyncio::detail::Backend& backend() {
  return asyncio::detail::backend_of(asyncio::detail::running_loop());
}

/// An operation that counts how often it ended.
struct Probe : asyncio::detail::Operation {
  Probe(asyncio::detail::Opcode what, int descriptor)
      : Operation(&Probe::on_end, what, descriptor) {}
  Probe(asyncio::detail::Opcode what, int descriptor, std::string& room) : Probe(what, descriptor) {
    buffer = room.data();
    size = room.size();
  }
  static void on_end(asyncio::detail::Ready& node) { ++static_cast<Probe&>(node).ends; }
  int ends = 0;
};

inline asyncio::Coro<> until(const Probe& probe) {
  while (probe.ends == 0) co_await asyncio::sleep(std::chrono::seconds(0));
}

/// Some turns of the loop, and a poll that waits.
inline asyncio::Coro<> turns(int count) {
  for (int i = 0; i < count; ++i) co_await asyncio::sleep(std::chrono::seconds(0));
  co_await asyncio::sleep(std::chrono::milliseconds(1));
}

}  // namespace test
