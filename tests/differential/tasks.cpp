// SPDX-License-Identifier: BSL-1.0
// Each statement does what the method of the same name in reference.py does.
#include "words.hpp"
#include "world.hpp"

#include <string>
#include <utility>

namespace differential {

using namespace asyncio;

std::string World::spawn(const Statement& statement) {
  const std::string& name = statement.args[0];
  return keep(name, loop.create_task(TaskOptions().name(name), run_body, this, statement.args[1]));
}

std::string World::spawn_eager(const Statement& statement) {
  const std::string& name = statement.args[0];
  auto task = loop.create_task(TaskOptions().name(name).eager_start(true), run_body, this,
                               statement.args[1]);
  return keep(name, task);
}

std::string World::group_spawn(const Statement& statement) {
  auto group = groups.find(statement.args[0]);
  if (group == groups.end()) return kAbsent;
  const std::string& name = statement.args[1];
  return keep(name, group->second->create_task(TaskOptions().name(name), run_body, this,
                                               statement.args[2]));
}

std::string World::cancel(const Statement& statement) {
  const Handle* found = find(statement.args[0]);
  if (!found) return kAbsent;
  FutureHandle future = found->future;
  if (statement.args.size() > 1) return show(future.cancel(statement.args[1]));
  return show(future.cancel());
}

std::string World::cancel_self(const Statement& statement) {
  TaskHandle self = *current_task();
  return show(statement.args.empty() ? self.cancel() : self.cancel(statement.args[0]));
}

std::string World::uncancel(const Statement&) { return std::to_string(current_task()->uncancel()); }

std::string World::cancelling(const Statement& statement) {
  const Handle* found = find(statement.args[0]);
  return found ? std::to_string(found->task->cancelling()) : kAbsent;
}

std::string World::state(const Statement& statement) {
  const Handle* found = find(statement.args[0]);
  if (!found) return kAbsent;
  if (!found->future.done()) return "pending";
  try {
    std::exception_ptr error = found->future.exception();
    return error ? "failed " + describe(error) : "result " + found->text();
  } catch (const CancelledError&) {
    return "cancelled " + describe(std::current_exception());
  }
}

std::string World::raise(const Statement& statement) { throw ValueError(statement.args[0]); }

std::string World::raise_cancelled(const Statement& statement) {
  throw CancelledError(statement.args.empty() ? "" : statement.args[0]);
}

std::string World::set(const Statement& statement) {
  handles.at(statement.args[0]).typed->set_result(statement.args[1]);
  return kNone;
}

std::string World::fail(const Statement& statement) {
  handles.at(statement.args[0]).typed->set_exception(ValueError(statement.args[1]));
  return kNone;
}

// --- Callbacks --------------------------------------------------------------------------------

namespace {

/// A done callback that equals others of its number.
class Noted {
 public:
  Noted(World* world, std::string name, std::string number)
      : world_(world), name_(std::move(name)), number_(std::move(number)) {}
  bool operator==(const Noted& other) const { return number_ == other.number_; }
  void operator()(const FutureHandle& future) const {
    world_->note("callback" + number_, 0, name_ + " " + differential::Handle(future).kind());
  }

 private:
  World* world_;
  std::string name_;
  std::string number_;
};

}  // namespace

std::string World::callback(const Statement& statement) {
  const Handle* found = find(statement.args[0]);
  if (!found) return kAbsent;
  found->future.add_done_callback(Noted(this, statement.args[0], statement.args[1]));
  return kNone;
}

std::string World::uncallback(const Statement& statement) {
  const Handle* found = find(statement.args[0]);
  if (!found) return kAbsent;
  Noted noted(this, statement.args[0], statement.args[1]);
  return std::to_string(found->future.remove_done_callback(noted));
}

std::string World::soon(const Statement& statement) {
  auto call = [this, &statement] {
    for (const auto& inner : statement.block()) perform(statement.args[0], inner);
  };
  timers_.insert_or_assign(statement.args[0], loop.call_soon(call));
  return kNone;
}

std::string World::later(const Statement& statement) {
  auto call = [this, &statement] {
    for (const auto& inner : statement.block()) perform(statement.args[0], inner);
  };
  Delay delay = *limit_of(statement.args[1]);
  timers_.insert_or_assign(statement.args[0], loop.call_later(delay, call));
  return kNone;
}

std::string World::cancel_handle(const Statement& statement) {
  auto timer = timers_.find(statement.args[0]);
  if (timer == timers_.end()) return kAbsent;
  timer->second.cancel();
  return kNone;
}

}  // namespace differential
