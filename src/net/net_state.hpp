// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"

#include <memory>

namespace asyncio::detail {

class DescriptorWatchers;
class ResolverChoice;
class ResolverThreads;
class SignalWatchers;

/// What the net layer keeps for each loop; each part is made when it is first used.
struct NetState {
  std::shared_ptr<ResolverThreads> resolver;
  std::shared_ptr<ResolverChoice> resolver_choice;
  std::shared_ptr<DescriptorWatchers> descriptors;
  std::shared_ptr<SignalWatchers> signals;
};

inline NetState& net_state(Backend& backend) {
  if (!backend.net_state) backend.net_state = std::make_shared<NetState>();
  return *static_cast<NetState*>(backend.net_state.get());
}

}  // namespace asyncio::detail
