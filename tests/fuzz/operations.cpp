// SPDX-License-Identifier: BSL-1.0
/// Sequences of operations of the public API on a simulated loop: the bytes say what main and its
/// tasks do next, when time passes, what is cancelled and dropped, what the network does, and
/// whether the loop is closed in the middle of it all.
///
/// What has to hold: no report of a sanitizer, nothing leaked; every error that was thrown arrives
/// somewhere (D3); every task ends once it is cancelled often enough (R1); primitives are free
/// again, and queues give what was put, in their order (R2); what is read from a stream or received
/// by a protocol is what was written, from the beginning and without a gap (R2), and a protocol is
/// called in its order; no socket stays open (R5).
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"
#include "world.hpp"

using namespace asyncio;
using namespace std::chrono_literals;
using fuzz::check;
using fuzz::Choices;
using fuzz::World;

namespace {

/// Cancels what is left, more than once: a task may go on after a cancellation.
Coro<> end_all(World& world) {
  for (int round = 0; round < 20; ++round) {
    auto tasks = all_tasks();
    if (tasks.size() == 1) break;
    for (auto& task : tasks)
      if (!(task == *current_task())) task.cancel();
    co_await sleep(1s);
  }
  if (all_tasks().size() > 1) {
    for (const auto& task : all_tasks())
      std::fputs(format_call_graph(CallGraphOptions().future(task)).c_str(), stderr);
    fuzz::fail("a task does not end when it is cancelled");
  }
  co_await world.close_all();
}

Coro<> main_task(World* world) {
  asyncio::testing::Network network;
  co_await world->listen();
  while (world->choices.any()) {
    world->do_something();
    if (world->choices.one_in(3)) co_await sleep(world->some_time());
    if (world->choices.one_in(100)) co_return;  // the loop is closed over the rest
  }
  co_await end_all(*world);
  world->tidy = true;
  check(network.sockets() == 0, "a socket stays open");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static bool quiet = (set_log_handler([](const LogRecord&) {}), true);
  (void)quiet;
  Choices choices(data, size);
  int alive = fuzz::Counted::alive;
  std::uint64_t seed = choices.byte();
  {
    EventLoop loop = testing::new_simulated_event_loop(seed);
    loop.set_debug(choices.one_in(2));
    World world(loop, choices);
    loop.set_exception_handler(
        [&](EventLoop, const ExceptionContext& context) { world.arrived(context.exception); });
    loop.run_until_complete(main_task(&world));
    world.drop_handles();
    if (world.tidy) world.check_errors();
    loop.close();
    loop.set_exception_handler({});
  }
  check(fuzz::Counted::alive == alive, "a frame, a callback or an argument was not destroyed");
  return 0;
}
