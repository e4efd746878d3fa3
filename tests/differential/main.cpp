// SPDX-License-Identifier: BSL-1.0
/// Runs the programs that it reads, and writes what they leave: for each its trace, a line
/// "unretrieved ..." for each error that nobody asked for, and ".". The other half is
/// reference.py; `differential` compares.
#include "program.hpp"
#include "world.hpp"
#include <asyncio/testing/simulated.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using differential::Block;
using differential::World;

namespace {

constexpr int kRounds = 4;
constexpr std::chrono::seconds kRound = 1000s;

/// Cancels what is left; stops the loop when nothing is, or it is of no use.
void watch(World* world, int round) {
  std::vector<TaskHandle> pending;
  std::string labels;
  for (const auto& [task, label] : world->tasks) {
    if (task.done()) continue;
    pending.push_back(task);
    labels += (labels.empty() ? "" : " ") + label;
  }
  world->note("watchdog", round, labels);
  if (pending.empty() || round == kRounds) return world->loop.stop();
  for (auto& task : pending) task.cancel("watchdog");
  world->loop.call_later(kRound, watch, world, round + 1);
}

/// Debug mode must not change anything: every other program runs in it.
void run_program(const Block& program, bool debug) {
  EventLoop loop = testing::new_simulated_event_loop();
  loop.set_debug(debug);
  World world(loop, program);
  loop.call_later(kRound, watch, &world, 1);
  world.start();
  loop.run_forever();
  for (const auto& [name, handle] : world.handles) world.note(name, 0, handle.kind());
  std::string trace = world.trace;
  world.drop_handles();
  loop.close();  // a gather of futures that never got an outcome goes with the loop
  std::vector<std::string> unretrieved = std::move(world.unretrieved);
  loop.set_exception_handler({});

  std::ranges::sort(unretrieved);
  for (const auto& error : unretrieved) trace += "unretrieved " + error + "\n";
  std::cout << trace << ".\n";
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  set_log_handler([](const LogRecord&) {});  // of tasks that a program leaves behind
  bool debug = false;
  for (Block program; differential::read_program(std::cin, program); debug = !debug)
    run_program(program, debug);
}
