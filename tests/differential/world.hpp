// SPDX-License-Identifier: BSL-1.0
/// What a program of the differential run works on, and what it leaves.
#pragma once

#include "program.hpp"
#include <asyncio/asyncio.hpp>

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace differential {

/// A task or future under a name.
class Handle {
 public:
  explicit Handle(asyncio::FutureHandle handle) : future(std::move(handle)) {}

  /// "pending", "cancelled" or "done".
  std::string kind() const;

  asyncio::FutureHandle future;
  std::optional<asyncio::Future<std::string>> typed;  // of all but gathers
  std::optional<asyncio::TaskHandle> task;
  std::function<std::string()> text;  // of its result
};

using AnyQueue = std::variant<asyncio::Queue<std::string>, asyncio::LifoQueue<std::string>,
                              asyncio::PriorityQueue<std::string>>;

/// The objects of a program, and what can be done with them without waiting.
class World {
 public:
  World(asyncio::EventLoop loop, const Block& program);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// A line of the trace.
  void note(const std::string& who, int line, const std::string& text);

  /// Does what `statement` says and notes it.
  void perform(const std::string& who, const Statement& statement);

  /// Makes T0, the task of body 0.
  void start();

  /// Lets go of all handles, so that errors that nobody asked for are reported.
  void drop_handles();

  /// Null if there is none.
  const Handle* find(const std::string& name) const;
  std::vector<Handle> present(const std::vector<std::string>& names, std::size_t first) const;
  /// Either a lock, or null; the same for the rest.
  asyncio::Lock* lock(const std::string& name) const;
  asyncio::Semaphore* semaphore(const std::string& name) const;
  asyncio::Condition* condition(const std::string& name) const;
  asyncio::Event* event(const std::string& name) const;
  asyncio::Barrier* barrier(const std::string& name) const;
  AnyQueue& queue(const std::string& name) const { return *queues_.at(name); }
  int variable(const std::string& name) const;

  asyncio::EventLoop loop;
  std::string trace;
  std::vector<std::string> unretrieved;
  std::map<std::string, const Statement*> bodies;
  std::map<std::string, int> begun;
  int all_begun = 0;
  // In the order of their beginning, each with the label of its first body.
  std::vector<std::pair<asyncio::TaskHandle, std::string>> tasks;
  std::map<std::string, Handle> handles;
  std::map<std::string, std::shared_ptr<asyncio::TaskGroup>> groups;
  std::map<std::string, std::shared_ptr<asyncio::Timeout>> scopes;

 private:
  using Operation = std::string (World::*)(const Statement&);
  static const std::map<std::string, Operation, std::less<>> operations;

  void make(const Statement& statement);
  void make_queue(const Statement& statement);
  void on_exception(const asyncio::ExceptionContext& context);
  std::string keep(const std::string& name, const asyncio::Task<std::string>& task);
  void keep(const std::string& name, const asyncio::Future<std::string>& future);

  std::string spawn(const Statement& statement);
  std::string spawn_eager(const Statement& statement);
  std::string group_spawn(const Statement& statement);
  std::string cancel(const Statement& statement);
  std::string cancel_self(const Statement& statement);
  std::string uncancel(const Statement& statement);
  std::string cancelling(const Statement& statement);
  std::string state(const Statement& statement);
  std::string raise(const Statement& statement);
  std::string raise_cancelled(const Statement& statement);
  std::string set(const Statement& statement);
  std::string fail(const Statement& statement);
  std::string callback(const Statement& statement);
  std::string uncallback(const Statement& statement);
  std::string soon(const Statement& statement);
  std::string later(const Statement& statement);
  std::string cancel_handle(const Statement& statement);
  std::string gather(const Statement& statement);
  std::string gather_bodies(const Statement& statement);
  std::string shield_as(const Statement& statement);
  std::string reschedule(const Statement& statement);
  std::string expired(const Statement& statement);
  std::string release(const Statement& statement);
  std::string set_event(const Statement& statement);
  std::string clear_event(const Statement& statement);
  std::string notify(const Statement& statement);
  std::string add(const Statement& statement);
  std::string get_nowait(const Statement& statement);
  std::string put_nowait(const Statement& statement);
  std::string task_done(const Statement& statement);
  std::string shutdown(const Statement& statement);
  std::string size(const Statement& statement);

  std::map<std::string, asyncio::Handle> timers_;
  std::map<std::string, int> variables_;
  std::map<std::string, std::unique_ptr<asyncio::Lock>> locks_;
  std::map<std::string, std::shared_ptr<asyncio::Semaphore>> semaphores_;
  std::map<std::string, std::unique_ptr<asyncio::Event>> events_;
  std::map<std::string, std::unique_ptr<asyncio::Condition>> conditions_;
  std::map<std::string, std::unique_ptr<AnyQueue>> queues_;
  std::map<std::string, std::unique_ptr<asyncio::Barrier>> barriers_;
};

/// A task, or a part of one; gives "none" or what the body returns.
asyncio::Coro<std::string> run_body(World* world, std::string number);

}  // namespace differential
