// SPDX-License-Identifier: BSL-1.0
#include "descriptor_watchers.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "net_state.hpp"

#include <cerrno>
#include <string>

namespace asyncio::detail {

struct DescriptorWatchers::Watcher : Operation, std::enable_shared_from_this<Watcher> {
  Watcher(DescriptorWatchers& all, int descriptor, Direction which,
          std::unique_ptr<RepeatedCall> callback)
      : Operation(&on_ready,
                  which == Direction::read ? Opcode::poll_readable : Opcode::poll_writable,
                  descriptor),
        owner(&all),
        direction(which),
        call(std::move(callback)) {}

  DescriptorWatchers* owner;  // null once it is removed
  Direction direction;
  std::unique_ptr<RepeatedCall> call;
};

DescriptorWatchers& DescriptorWatchers::of(Backend& backend) {
  auto& watchers = net_state(backend).descriptors;
  if (!watchers) watchers = std::make_shared<DescriptorWatchers>(backend);
  return *watchers;
}

DescriptorWatchers::~DescriptorWatchers() { loop_closing(); }

void DescriptorWatchers::add(int fd, Direction direction, std::unique_ptr<RepeatedCall> call) {
  remove(fd, direction);
  auto watcher = std::make_shared<Watcher>(*this, fd, direction, std::move(call));
  auto place = watchers_.emplace(std::pair(fd, direction), watcher).first;
  try {
    ask(*watcher);
  } catch (...) {  // Rethrown; it is not watched.
    watchers_.erase(place);
    throw;
  }
}

bool DescriptorWatchers::remove(int fd, Direction direction) noexcept {
  auto found = watchers_.extract({fd, direction});
  if (!found) return false;
  backend_.forget(*found.mapped());
  backend_.release(fd);
  found.mapped()->owner = nullptr;
  return true;
}

void DescriptorWatchers::ask(Watcher& watcher) {
  if (!backend_.start(watcher)) return;
  if (watcher.result < 0) {
    const char* name = watcher.direction == Direction::read ? "add_reader" : "add_writer";
    throw_os_error(static_cast<int>(-watcher.result),
                   std::string(name) + " of descriptor " + std::to_string(watcher.fd));
  }
  backend_.loop().call_ready(watcher);
}

void DescriptorWatchers::on_ready(Ready& node) {
  // The callback may remove itself.
  auto watcher = static_cast<Watcher&>(static_cast<Operation&>(node)).shared_from_this();
  Loop& loop = watcher->owner->backend_.loop();
  if (watcher->result >= 0) watcher->call->call(loop);
  if (!watcher->owner) return;
  try {
    watcher->owner->ask(*watcher);
  } catch (const OSError&) {
    watcher->owner->remove(watcher->fd, watcher->direction);
    loop.handle_callback_error(nullptr, "the watch of a descriptor, which ends");
  }
}

void DescriptorWatchers::loop_closing() noexcept {
  for (auto& [place, watcher] : std::exchange(watchers_, {})) {
    backend_.forget(*watcher);
    watcher->owner = nullptr;
  }
}

}  // namespace asyncio::detail

namespace asyncio {

using Direction = detail::DescriptorWatchers::Direction;

void EventLoop::watch(int fd, bool writing, std::unique_ptr<detail::RepeatedCall> call) {
  loop_->check_schedulable();
  detail::Backend& backend = detail::backend_of(*loop_);
  backend.check_not_owned(fd);
  detail::DescriptorWatchers::of(backend).add(fd, Direction(writing), std::move(call));
}

bool EventLoop::unwatch(int fd, bool writing) {
  if (loop_->closed()) return false;
  loop_->check_schedulable();
  detail::Backend& backend = detail::backend_of(*loop_);
  backend.check_not_owned(fd);
  return detail::DescriptorWatchers::of(backend).remove(fd, Direction(writing));
}

}  // namespace asyncio
