// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/backend/backend.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "late_endings.hpp"

#include <cerrno>
#include <string>

namespace asyncio::detail {

Backend::Backend(FaultLayer* faults)
    : faults_(faults), late_(faults ? std::make_unique<LateEndings>(*faults) : nullptr) {}

Backend::~Backend() = default;

Fault Backend::next_fault(SystemCall call) noexcept {
  Fault fault;
  if (faults_) [[unlikely]]
    do fault = faults_->before(call);
    while (fault.error == EINTR);
  return fault;
}

char* Backend::scratch() {
  if (!scratch_) scratch_.reset(new char[kScratchSize]);
  return scratch_.get();
}

namespace {

constexpr unsigned block_of(int fd) noexcept { return static_cast<unsigned>(fd) / 64; }
constexpr std::uint64_t bit_of(int fd) noexcept {
  return std::uint64_t{1} << (static_cast<unsigned>(fd) % 64);
}

}  // namespace

void Backend::own(int fd) { owned_[block_of(fd)] |= bit_of(fd); }

void Backend::disown(int fd) noexcept {
  auto found = owned_.find(block_of(fd));
  if (found == owned_.end()) return;
  found->second &= ~bit_of(fd);
  if (found->second == 0) owned_.erase(found);
}

void Backend::check_not_owned(int fd) const {
  auto found = owned_.find(block_of(fd));
  if (found != owned_.end() && (found->second & bit_of(fd)))
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
  if (Backend* backend = loop.poller().backend()) return *backend;
  throw RuntimeError("an event loop on '" + std::string(loop.poller().name()) + "' has no sockets");
}

}  // namespace asyncio::detail
