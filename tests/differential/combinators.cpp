// SPDX-License-Identifier: BSL-1.0
// Each statement does what the method of the same name in reference.py does.
#include "words.hpp"
#include "world.hpp"

#include <string>
#include <utility>
#include <vector>

namespace differential {

using namespace asyncio;

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

}  // namespace differential
