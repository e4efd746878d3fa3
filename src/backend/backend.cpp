// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "late_endings.hpp"

#include <string>

namespace asyncio::detail {

Backend::Backend(FaultLayer* faults)
    : late_(faults ? std::make_unique<LateEndings>(*faults) : nullptr) {}

Backend::~Backend() = default;

char* Backend::scratch() {
  if (!scratch_) scratch_.reset(new char[kScratchSize]);
  return scratch_.get();
}

void Backend::own(int fd) {
  auto number = static_cast<std::size_t>(fd);
  if (number >= owned_.size()) owned_.resize(number + 1);
  owned_[number] = true;
}

void Backend::disown(int fd) noexcept {
  auto number = static_cast<std::size_t>(fd);
  if (number < owned_.size()) owned_[number] = false;
}

void Backend::check_not_owned(int fd) const {
  auto number = static_cast<std::size_t>(fd);
  if (number < owned_.size() && owned_[number])
    throw RuntimeError("File descriptor " + std::to_string(fd) + " is used by a transport");
}

void Backend::finish(Operation& operation, std::int64_t result) noexcept {
  operation.phase = Operation::Phase::ended;
  operation.result = result;
  if (late_ && late_->take(operation)) [[unlikely]]
    return;
  loop_->call_ready(operation);
}

TimePoint Backend::end_late(TimePoint deadline) noexcept {
  if (!late_) [[likely]]
    return deadline;
  bool some = false;
  for (List<Ready>& due = late_->next(); !due.empty(); some = true)
    loop_->call_ready(due.pop_front());
  return some || !late_->empty() ? TimePoint::min() : deadline;
}

void Backend::close_resources() noexcept {
  while (!resources_.empty()) resources_.pop_front().loop_closing();
}

Backend& backend_of(Loop& loop) {
  if (auto* backend = dynamic_cast<Backend*>(&loop.poller())) return *backend;
  throw RuntimeError("an event loop on '" + std::string(loop.poller().name()) + "' has no sockets");
}

}  // namespace asyncio::detail
