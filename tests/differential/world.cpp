// SPDX-License-Identifier: BSL-1.0
// Each statement does what the method of the same name in reference.py does.
#include "world.hpp"

#include "python_exceptions.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <regex>
#include <utility>

namespace differential {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class E>
std::string with_text(const E& error) {
  static const std::regex state(" <[^>]*>");  // of a TaskGroup
  std::string name = py::type_name(error);
  std::string text = std::regex_replace(std::string(error.what()), state, "");
  return text.empty() ? name : name + " " + text;
}

/// Each kind of exception whose text Python does not have.
template <class... E>
bool untold(const std::exception& error) {
  return ((dynamic_cast<const E*>(&error) != nullptr) || ...);
}

std::string describe_group(const ExceptionGroup& group) {
  std::string text;
  for (const auto& error : group.exceptions()) {
    if (!text.empty()) text += ", ";
    text += differential::describe(error);
  }
  return py::type_name(group) + "(" + text + ")";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return "[" + text + "]";
}

std::string show(bool value) { return value ? "True" : "False"; }

constexpr const char* kAbsent = "absent";
constexpr const char* kNone = "None";

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

std::string describe(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    return describe_group(group);
  } catch (const std::exception& e) {
    if (untold<TimeoutError, InvalidStateError, QueueEmpty, QueueFull, QueueShutDown>(e))
      return py::type_name(e);
    return with_text(e);
  } catch (const BaseException& e) {
    return with_text(e);
  }
}

OptionalDelay limit_of(const std::string& word) {
  if (word == "none") return std::nullopt;
  return Delay(std::chrono::seconds(std::atoi(word.c_str())));
}

std::string Handle::kind() const {
  if (!future.done()) return "pending";
  return future.cancelled() ? "cancelled" : "done";
}

// --- The objects ------------------------------------------------------------------------------

World::World(EventLoop on, const Block& program) : loop(std::move(on)) {
  loop.set_exception_handler(
      [this](EventLoop, const ExceptionContext& context) { on_exception(context); });
  for (const auto& statement : program) make(statement);
}

void World::make(const Statement& statement) {
  const auto& args = statement.args;
  const std::string& name = args[0];
  if (statement.op == "body") bodies[name] = &statement;
  if (statement.op == "lock") locks_[name] = std::make_unique<Lock>();
  if (statement.op == "semaphore")
    semaphores_[name] = std::make_shared<Semaphore>(std::stoi(args[1]));
  if (statement.op == "bounded")
    semaphores_[name] = std::make_shared<BoundedSemaphore>(std::stoi(args[1]));
  if (statement.op == "event") events_[name] = std::make_unique<Event>();
  if (statement.op == "condition")
    conditions_[name] = args.size() > 1 ? std::make_unique<Condition>(*locks_.at(args[1]))
                                        : std::make_unique<Condition>();
  if (statement.op == "barrier") barriers_[name] = std::make_unique<Barrier>(std::stoi(args[1]));
  if (statement.op == "future") keep(name, loop.create_future<std::string>());
  if (statement.op == "queue") make_queue(statement);
}

void World::make_queue(const Statement& statement) {
  auto& queue = queues_[statement.args[0]];
  int size = std::stoi(statement.args[2]);
  if (statement.args[1] == "fifo")
    queue = std::make_unique<AnyQueue>(std::in_place_index<0>, size);
  else if (statement.args[1] == "lifo")
    queue = std::make_unique<AnyQueue>(std::in_place_index<1>, size);
  else
    queue = std::make_unique<AnyQueue>(std::in_place_index<2>, size);
}

namespace {

template <class Map>
auto find_in(const Map& map, const std::string& name) {
  auto found = map.find(name);
  return found == map.end() ? nullptr : found->second.get();
}

}  // namespace

Lock* World::lock(const std::string& name) const { return find_in(locks_, name); }
Semaphore* World::semaphore(const std::string& name) const { return find_in(semaphores_, name); }
Condition* World::condition(const std::string& name) const { return find_in(conditions_, name); }
Event* World::event(const std::string& name) const { return find_in(events_, name); }
Barrier* World::barrier(const std::string& name) const { return find_in(barriers_, name); }

int World::variable(const std::string& name) const {
  auto found = variables_.find(name);
  return found == variables_.end() ? 0 : found->second;
}

const Handle* World::find(const std::string& name) const {
  auto found = handles.find(name);
  return found == handles.end() ? nullptr : &found->second;
}

std::vector<Handle> World::present(const std::vector<std::string>& names, std::size_t first) const {
  std::vector<Handle> found;
  for (std::size_t i = first; i < names.size(); ++i)
    if (const Handle* handle = find(names[i])) found.push_back(*handle);
  return found;
}

void World::keep(const std::string& name, const Future<std::string>& future) {
  Handle handle(future);
  handle.typed = future;
  handle.text = [future] { return future.result(); };
  handles.insert_or_assign(name, std::move(handle));
}

std::string World::keep(const std::string& name, const Task<std::string>& task) {
  keep(name, static_cast<const Future<std::string>&>(task));
  handles.at(name).task = task;
  return name;
}

void World::start() {
  keep("T0", loop.create_task(TaskOptions().name("T0"), run_body, this, std::string("0")));
}

void World::drop_handles() {
  handles.clear();
  tasks.clear();
  timers_.clear();
  groups.clear();
  scopes.clear();
}

// --- The trace --------------------------------------------------------------------------------

void World::note(const std::string& who, int line, const std::string& text) {
  auto now = std::chrono::duration_cast<std::chrono::seconds>(loop.time().time_since_epoch());
  trace += std::to_string(now.count()) + " " + who + " " + std::to_string(line) + " " + text + "\n";
}

void World::perform(const std::string& who, const Statement& statement) {
  std::string text;
  try {
    text = (this->*operations.at(statement.op))(statement);
  } catch (...) {  // Noted on its way.
    note(who, statement.line, statement.op + " ! " + describe(std::current_exception()));
    throw;
  }
  note(who, statement.line, statement.op + " = " + text);
}

void World::on_exception(const ExceptionContext& context) {
  if (context.message.ends_with("never retrieved"))
    unretrieved.push_back(describe(context.exception));
  else if (context.message.starts_with("Exception in") && !context.message.ends_with("future"))
    note("loop", 0, "reported " + describe(context.exception));
  else if (context.exception)
    unretrieved.push_back(describe(context.exception));  // of a shield that has ended
}

// --- Tasks ------------------------------------------------------------------------------------

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

// --- Combinators ------------------------------------------------------------------------------

namespace {

template <class T>
std::string show_slot(const Result<T>& slot) {
  return slot.has_value() ? *slot : describe(slot.exception());
}

Handle kept(const Future<std::vector<std::string>>& future) {
  Handle handle(future);
  handle.text = [future] { return join(future.result()); };
  return handle;
}

Handle kept(const Future<std::vector<Result<std::string>>>& future) {
  Handle handle(future);
  handle.text = [future] {
    std::vector<std::string> words;
    for (const auto& slot : future.result()) words.push_back(show_slot(slot));
    return join(words);
  };
  return handle;
}

/// Of handles of different types; the members know the texts of their results.
Handle kept(const Future<std::vector<Unit>>& future, std::vector<Handle> members) {
  Handle handle(future);
  handle.text = [members = std::move(members)] {
    std::vector<std::string> words;
    for (const auto& member : members) words.push_back(member.text());
    return join(words);
  };
  return handle;
}

Handle kept(const Future<std::vector<Result<Unit>>>& future, std::vector<Handle> members) {
  Handle handle(future);
  handle.text = [future, members = std::move(members)] {
    std::vector<std::string> words;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto& slot = future.result()[i];
      words.push_back(slot.has_value() ? members[i].text() : describe(slot.exception()));
    }
    return join(words);
  };
  return handle;
}

Handle gather_handles(std::vector<Handle> members, bool catches) {
  std::vector<Future<std::string>> typed;
  std::vector<FutureHandle> futures;
  for (const auto& member : members) {
    if (member.typed) typed.push_back(*member.typed);
    futures.push_back(member.future);
  }
  if (typed.size() == members.size())
    return catches ? kept(asyncio::gather(return_exceptions, typed)) : kept(asyncio::gather(typed));
  return catches ? kept(asyncio::gather(return_exceptions, futures), std::move(members))
                 : kept(asyncio::gather(futures), std::move(members));
}

}  // namespace

std::string World::gather(const Statement& statement) {
  std::vector<Handle> members = present(statement.args, 2);
  if (members.empty()) return kAbsent;
  bool catches = statement.args[1] == "catch";
  handles.insert_or_assign(statement.args[0], gather_handles(std::move(members), catches));
  return kNone;
}

std::string World::gather_bodies(const Statement& statement) {
  std::vector<Coro<std::string>> bodies_to_run;
  for (std::size_t i = 2; i < statement.args.size(); ++i)
    bodies_to_run.push_back(run_body(this, statement.args[i]));
  Handle handle = statement.args[1] == "catch"
                      ? kept(asyncio::gather(return_exceptions, std::move(bodies_to_run)))
                      : kept(asyncio::gather(std::move(bodies_to_run)));
  handles.insert_or_assign(statement.args[0], std::move(handle));
  return kNone;
}

std::string World::shield_as(const Statement& statement) {
  const Handle* found = find(statement.args[1]);
  if (!found) return kAbsent;
  if (found->typed) {
    keep(statement.args[0], shield(*found->typed));
    return kNone;
  }
  Handle handle(shield(found->future));
  handle.text = found->text;
  handles.insert_or_assign(statement.args[0], std::move(handle));
  return kNone;
}

std::string World::reschedule(const Statement& statement) {
  auto scope = scopes.find(statement.args[0]);
  if (scope == scopes.end()) return kAbsent;
  OptionalDelay limit = limit_of(statement.args[1]);
  if (limit)
    scope->second->reschedule(loop.time() + limit->duration());
  else
    scope->second->reschedule(std::nullopt);
  return kNone;
}

std::string World::expired(const Statement& statement) {
  auto scope = scopes.find(statement.args[0]);
  return scope == scopes.end() ? kAbsent : show(scope->second->expired());
}

// --- Callbacks --------------------------------------------------------------------------------

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

// --- Primitives -------------------------------------------------------------------------------

std::string World::release(const Statement& statement) {
  if (Lock* held = lock(statement.args[0]))
    held->release();
  else
    semaphores_.at(statement.args[0])->release();
  return kNone;
}

std::string World::set_event(const Statement& statement) {
  event(statement.args[0])->set();
  return kNone;
}

std::string World::clear_event(const Statement& statement) {
  event(statement.args[0])->clear();
  return kNone;
}

std::string World::notify(const Statement& statement) {
  Condition& found = *condition(statement.args[0]);
  if (statement.args[1] == "all")
    found.notify_all();
  else
    found.notify(std::stoi(statement.args[1]));
  return kNone;
}

std::string World::add(const Statement& statement) {
  return std::to_string(variables_[statement.args[0]] += std::stoi(statement.args[1]));
}

std::string World::get_nowait(const Statement& statement) {
  return std::visit([](auto& found) { return found.get_nowait(); }, queue(statement.args[0]));
}

std::string World::put_nowait(const Statement& statement) {
  std::visit([&](auto& found) { found.put_nowait(statement.args[1]); }, queue(statement.args[0]));
  return kNone;
}

std::string World::task_done(const Statement& statement) {
  std::visit([](auto& found) { found.task_done(); }, queue(statement.args[0]));
  return kNone;
}

std::string World::shutdown(const Statement& statement) {
  bool now = statement.args[1] == "now";
  std::visit([now](auto& found) { found.shutdown(now); }, queue(statement.args[0]));
  return kNone;
}

std::string World::size(const Statement& statement) {
  return std::to_string(
      std::visit([](auto& found) { return found.qsize(); }, queue(statement.args[0])));
}

const std::map<std::string, World::Operation, std::less<>> World::operations = {
    {"spawn", &World::spawn},
    {"spawn_eager", &World::spawn_eager},
    {"group_spawn", &World::group_spawn},
    {"cancel", &World::cancel},
    {"cancel_self", &World::cancel_self},
    {"uncancel", &World::uncancel},
    {"cancelling", &World::cancelling},
    {"state", &World::state},
    {"raise", &World::raise},
    {"raise_cancelled", &World::raise_cancelled},
    {"set", &World::set},
    {"fail", &World::fail},
    {"callback", &World::callback},
    {"uncallback", &World::uncallback},
    {"soon", &World::soon},
    {"later", &World::later},
    {"cancel_handle", &World::cancel_handle},
    {"gather", &World::gather},
    {"gather_bodies", &World::gather_bodies},
    {"shield_as", &World::shield_as},
    {"reschedule", &World::reschedule},
    {"expired", &World::expired},
    {"release", &World::release},
    {"set_event", &World::set_event},
    {"clear_event", &World::clear_event},
    {"notify", &World::notify},
    {"add", &World::add},
    {"get_nowait", &World::get_nowait},
    {"put_nowait", &World::put_nowait},
    {"task_done", &World::task_done},
    {"shutdown", &World::shutdown},
    {"size", &World::size},
};

}  // namespace differential
