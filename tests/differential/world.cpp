// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include "words.hpp"

#include <chrono>
#include <utility>

namespace differential {

using namespace asyncio;

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

// --- What there is to do ----------------------------------------------------------------------

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
