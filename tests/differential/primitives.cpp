// SPDX-License-Identifier: BSL-1.0
// Each statement does what the method of the same name in reference.py does.
#include "words.hpp"
#include "world.hpp"

#include <string>
#include <variant>

namespace differential {

using namespace asyncio;

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

}  // namespace differential
