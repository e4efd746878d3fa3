// SPDX-License-Identifier: BSL-1.0
// What a body does: its blocks, and what has to be awaited. Each method does what the one of the
// same name in reference.py does.
#include "words.hpp"
#include "world.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace differential {

using namespace asyncio;

namespace {

constexpr int kMaxBodies = 60;

/// Whether the body goes on or has returned.
enum class Flow { next, returned };

/// One run of a body.
class Actor {
 public:
  Actor(World& world, const std::string& number)
      : world_(world), label_(number + "." + std::to_string(world.begun[number])) {}

  const std::string& label() const { return label_; }
  const std::string& value() const { return value_; }

  Coro<Flow> run(const Block& block) {
    for (const auto& statement : block) {
      Flow flow = co_await step(statement);
      if (flow == Flow::returned) co_return flow;
    }
    co_return Flow::next;
  }

 private:
  using BlockMethod = Coro<Flow> (Actor::*)(const Statement&);
  using WaitMethod = Coro<std::string> (Actor::*)(const std::vector<std::string>&);
  static const std::map<std::string, BlockMethod, std::less<>> blocks;
  static const std::map<std::string, WaitMethod, std::less<>> waits;

  void note(const Statement& statement, const std::string& text) {
    world_.note(label_, statement.line, text);
  }

  Coro<Flow> step(const Statement& statement) {
    auto block = blocks.find(statement.op);
    if (block != blocks.end()) co_return co_await (this->*block->second)(statement);
    if (waits.contains(statement.op)) {
      co_await wait(statement);
    } else if (statement.op == "return") {
      value_ = statement.args[0];
      note(statement, "return");
      co_return Flow::returned;
    } else if (statement.op == "reraise") {
      note(statement, "reraise");
      std::rethrow_exception(handled_.back());
    } else {
      world_.perform(label_, statement);
    }
    co_return Flow::next;
  }

  Coro<> wait(const Statement& statement) {
    note(statement, statement.op + " ...");
    WaitMethod method = waits.at(statement.op);
    auto outcome = co_await capture((this->*method)(statement.args));
    if (outcome.has_value())
      note(statement, statement.op + " = " + *outcome);
    else
      note(statement, statement.op + " ! " + describe(outcome.exception()));
    outcome.value();
  }

  // --- Blocks ---------------------------------------------------------------------------------

  Coro<Flow> block_try(const Statement& statement) {
    const Section* clause = nullptr;
    const Section* last = nullptr;
    for (const auto& section : statement.sections) {
      if (section.header.empty()) continue;
      (section.header[0] == "except" ? clause : last) = &section;
    }
    auto body = [&] { return run(statement.block()); };
    auto finish = [&]() -> Coro<> {
      if (last) co_await run(last->block);
    };
    auto handle = [&](std::exception_ptr error) -> Coro<Flow> {
      handled_.push_back(error);
      auto outcome = co_await capture(run(clause->block));
      handled_.pop_back();
      co_return std::move(outcome).value();
    };
    std::string kind = clause ? clause->header[1] : "";
    if (kind == "cancelled") {
      auto on_cancelled = [&](CancelledError&, std::exception_ptr e) { return handle(e); };
      co_return co_await try_(body).except<CancelledError>(on_cancelled).finally_(finish);
    }
    if (kind == "error") {
      auto on_error = [&](std::exception&, std::exception_ptr e) { return handle(e); };
      co_return co_await try_(body).except<std::exception>(on_error).finally_(finish);
    }
    if (kind == "all") co_return co_await try_(body).except(handle).finally_(finish);
    co_return co_await try_(body).finally_(finish);
  }

  Coro<Flow> block_repeat(const Statement& statement) {
    for (int i = std::stoi(statement.args[0]); i > 0; --i) {
      Flow flow = co_await run(statement.block());
      if (flow == Flow::returned) co_return flow;
    }
    co_return Flow::next;
  }

  /// Enters `manager`, runs the block, and notes how it leaves.
  template <class Manager>
  Coro<Flow> leave(const Statement& statement, Manager& manager) {
    Flow flow = Flow::next;
    note(statement, statement.op + " ...");
    auto body = [&]() -> Coro<> {
      note(statement, statement.op + " entered");
      flow = co_await run(statement.block());
    };
    auto outcome = co_await capture(with(manager, body));
    if (outcome.has_exception())
      note(statement, statement.op + " ! " + describe(outcome.exception()));
    else
      note(statement, statement.op + " left");
    outcome.value();
    co_return flow;
  }

  Coro<Flow> block_timeout(const Statement& statement) {
    auto scope = std::make_shared<Timeout>(timeout(limit_of(statement.args[1])));
    world_.scopes.insert_or_assign(statement.args[0], scope);
    co_return co_await leave(statement, *scope);
  }

  Coro<Flow> block_group(const Statement& statement) {
    auto group = std::make_shared<TaskGroup>();
    world_.groups.insert_or_assign(statement.args[0], group);
    co_return co_await leave(statement, *group);
  }

  Coro<Flow> block_with(const Statement& statement) {
    const std::string& name = statement.args[0];
    if (Lock* lock = world_.lock(name)) co_return co_await leave(statement, *lock);
    if (Semaphore* units = world_.semaphore(name)) co_return co_await leave(statement, *units);
    co_return co_await leave(statement, *world_.condition(name));
  }

  // --- Waits ----------------------------------------------------------------------------------

  using Args = std::vector<std::string>;

  Coro<std::string> sleep_for(const Args& args) {
    co_await sleep(*limit_of(args[0]));
    co_return "None";
  }

  Coro<std::string> run_inline(const Args& args) { return run_body(&world_, args[0]); }

  Coro<std::string> await_handle(const Args& args) {
    const Handle* found = world_.find(args[0]);
    if (!found) co_return "absent";
    Handle handle = *found;
    if (handle.typed) co_return co_await *handle.typed;
    co_await handle.future;
    co_return handle.text();
  }

  Coro<std::string> shield_handle(const Args& args) {
    const Handle* found = world_.find(args[0]);
    if (!found) co_return "absent";
    Handle handle = *found;
    if (handle.typed) co_return co_await shield(*handle.typed);
    co_await shield(handle.future);
    co_return handle.text();
  }

  Coro<std::string> shield_body(const Args& args) {
    co_return co_await shield(run_body(&world_, args[0]));
  }

  Coro<std::string> wait_for_handle(const Args& args) {
    const Handle* found = world_.find(args[1]);
    if (!found) co_return "absent";
    Handle handle = *found;
    if (handle.typed) co_return co_await wait_for(*handle.typed, limit_of(args[0]));
    co_await wait_for(handle.future, limit_of(args[0]));
    co_return handle.text();
  }

  Coro<std::string> wait_for_body(const Args& args) {
    co_return co_await wait_for(run_body(&world_, args[1]), limit_of(args[0]));
  }

  Coro<std::string> wait_some(const Args& args) {
    std::vector<std::string> names;
    std::vector<FutureHandle> futures;
    for (std::size_t i = 2; i < args.size(); ++i) {
      const Handle* found = world_.find(args[i]);
      if (!found) continue;
      names.push_back(args[i]);
      futures.push_back(found->future);
    }
    if (futures.empty()) co_return "absent";
    ReturnWhen when = args[0] == "all_completed"     ? ALL_COMPLETED
                      : args[0] == "first_completed" ? FIRST_COMPLETED
                                                     : FIRST_EXCEPTION;
    auto result = co_await asyncio::wait(futures, when, limit_of(args[1]));
    std::string done;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::ranges::count(result.done, futures[i]) > 0)
        done += (done.empty() ? "" : " ") + names[i];
    co_return done;
  }

  /// The names and futures for as_completed: at most one that is done.
  std::vector<std::pair<std::string, Future<std::string>>> watched(const Args& names) {
    std::vector<std::pair<std::string, Future<std::string>>> watched;
    bool any_done = false;
    for (std::size_t i = 1; i < names.size(); ++i) {
      const Handle* found = world_.find(names[i]);
      if (!found) continue;
      auto same = [&](const auto& other) { return other.second == found->future; };
      if (std::ranges::any_of(watched, same) || (found->future.done() && any_done)) continue;
      any_done = any_done || found->future.done();
      watched.emplace_back(names[i], *found->typed);
    }
    return watched;
  }

  static std::vector<Future<std::string>> futures_of(
      const std::vector<std::pair<std::string, Future<std::string>>>& pairs) {
    std::vector<Future<std::string>> futures;
    for (const auto& pair : pairs) futures.push_back(pair.second);
    return futures;
  }

  void note_next(std::string& order, const std::string& text) {
    order += (order.empty() ? "" : ", ") + text;
    world_.note(label_, 0, text);
  }

  Coro<std::string> completed(const Args& args) {
    auto pairs = watched(args);
    auto arriving = as_completed(futures_of(pairs), limit_of(args[0]));
    std::string order;
    while (auto future = co_await arriving.next()) {
      auto is_it = [&](const auto& pair) { return pair.second == *future; };
      const std::string& name = std::ranges::find_if(pairs, is_it)->first;
      note_next(order, name + " " + Handle(*future).kind());
    }
    co_return order;
  }

  Coro<std::string> completed_results(const Args& args) {
    auto pairs = watched(args);
    std::string order;
    for (auto&& result : as_completed(futures_of(pairs), limit_of(args[0]))) {
      std::string text = co_await std::move(result);
      note_next(order, text);
    }
    co_return order;
  }

  Coro<std::string> acquire(const Args& args) {
    if (Lock* lock = world_.lock(args[0]))
      co_await lock->acquire();
    else
      co_await world_.semaphore(args[0])->acquire();
    co_return "True";
  }

  Coro<std::string> wait_event(const Args& args) {
    co_await world_.event(args[0])->wait();
    co_return "True";
  }

  Coro<std::string> wait_condition(const Args& args) {
    co_await world_.condition(args[0])->wait();
    co_return "True";
  }

  Coro<std::string> wait_until(const Args& args) {
    int least = std::stoi(args[2]);
    auto enough = [&] { return world_.variable(args[1]) >= least; };
    co_await world_.condition(args[0])->wait_for(enough);
    co_return "True";
  }

  Coro<std::string> get(const Args& args) {
    auto call = [](auto& queue) -> Coro<std::string> { co_return co_await queue.get(); };
    co_return co_await std::visit(call, world_.queue(args[0]));
  }

  Coro<std::string> put(const Args& args) {
    std::string item = args[1];
    auto call = [&](auto& queue) -> Coro<> { co_await queue.put(item); };
    co_await std::visit(call, world_.queue(args[0]));
    co_return "None";
  }

  Coro<std::string> join(const Args& args) {
    auto call = [](auto& queue) -> Coro<> { co_await queue.join(); };
    co_await std::visit(call, world_.queue(args[0]));
    co_return "None";
  }

  Coro<std::string> meet(const Args& args) {
    int position = co_await world_.barrier(args[0])->wait();
    co_return std::to_string(position);
  }

  Coro<std::string> abort(const Args& args) {
    co_await world_.barrier(args[0])->abort();
    co_return "None";
  }

  Coro<std::string> reset(const Args& args) {
    co_await world_.barrier(args[0])->reset();
    co_return "None";
  }

  World& world_;
  std::string label_;
  std::string value_ = "none";
  std::vector<std::exception_ptr> handled_;  // the exceptions whose handlers run
};

const std::map<std::string, Actor::BlockMethod, std::less<>> Actor::blocks = {
    {"try", &Actor::block_try},         {"repeat", &Actor::block_repeat},
    {"timeout", &Actor::block_timeout}, {"group", &Actor::block_group},
    {"with", &Actor::block_with},
};

const std::map<std::string, Actor::WaitMethod, std::less<>> Actor::waits = {
    {"sleep", &Actor::sleep_for},
    {"run", &Actor::run_inline},
    {"await", &Actor::await_handle},
    {"shield", &Actor::shield_handle},
    {"shield_body", &Actor::shield_body},
    {"wait_for", &Actor::wait_for_handle},
    {"wait_for_body", &Actor::wait_for_body},
    {"wait", &Actor::wait_some},
    {"completed", &Actor::completed},
    {"completed_results", &Actor::completed_results},
    {"acquire", &Actor::acquire},
    {"wait_event", &Actor::wait_event},
    {"wait_condition", &Actor::wait_condition},
    {"wait_until", &Actor::wait_until},
    {"get", &Actor::get},
    {"put", &Actor::put},
    {"join", &Actor::join},
    {"meet", &Actor::meet},
    {"abort", &Actor::abort},
    {"reset", &Actor::reset},
};

bool known(const World& world) {
  TaskHandle self = *current_task();
  return std::ranges::any_of(world.tasks, [&](const auto& task) { return task.first == self; });
}

}  // namespace

Coro<std::string> run_body(World* world, std::string number) {
  if (world->all_begun >= kMaxBodies) co_return "refused";
  ++world->all_begun;
  ++world->begun[number];
  Actor actor(*world, number);
  const Statement& body = *world->bodies.at(number);
  world->note(actor.label(), body.line, "begins");
  if (!known(*world)) world->tasks.emplace_back(*current_task(), actor.label());
  auto outcome = co_await capture(actor.run(body.block()));
  if (outcome.has_exception())
    world->note(actor.label(), body.line, "ends ! " + describe(outcome.exception()));
  else
    world->note(actor.label(), body.line, "ends = " + actor.value());
  outcome.value();
  co_return actor.value();
}

}  // namespace differential
