// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"

#include <string>

namespace asyncio::detail {

char* Backend::scratch() {
  if (!scratch_) scratch_.reset(new char[kScratchSize]);
  return scratch_.get();
}

void Backend::finish(Operation& operation, std::int64_t result) noexcept {
  operation.phase = Operation::Phase::ended;
  operation.result = result;
  loop_->call_ready(operation);
}

void Backend::close_resources() noexcept {
  while (!resources_.empty()) resources_.pop_front().loop_closing();
}

Backend& backend_of(Loop& loop) {
  if (auto* backend = dynamic_cast<Backend*>(&loop.poller())) return *backend;
  throw RuntimeError("an event loop on '" + std::string(loop.poller().name()) + "' has no sockets");
}

}  // namespace asyncio::detail
