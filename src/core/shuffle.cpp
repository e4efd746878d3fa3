// SPDX-License-Identifier: BSL-1.0
#include "shuffle.hpp"

#include "asyncio/detail/core/task_state.hpp"

#include <cstddef>
#include <utility>
#include <vector>

namespace asyncio::detail {

void shuffle_wake_ups(ReadyList& batch, SeededRandom& random) {
  std::vector<Ready*> nodes;
  std::vector<std::size_t> wake_ups;
  for (Ready& node : batch) {
    if (TaskState::of_wake_node(node)) wake_ups.push_back(nodes.size());
    nodes.push_back(&node);
  }
  if (wake_ups.size() < 2) return;
  for (std::size_t i = wake_ups.size(); i > 1; --i)
    std::swap(nodes[wake_ups[i - 1]], nodes[wake_ups[random.below(i)]]);
  while (!batch.empty()) batch.pop_front();
  for (Ready* node : nodes) batch.push_back(*node);
}

}  // namespace asyncio::detail
