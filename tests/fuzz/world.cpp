// SPDX-License-Identifier: BSL-1.0
#include "world.hpp"

#include "asyncio/testing/network.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace fuzz {

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

constexpr int kDepth = 3;
constexpr std::size_t kTasks = 12;
constexpr std::size_t kStreams = 6;

/// The error number `number`.
class Thrown : public std::runtime_error {
 public:
  explicit Thrown(std::size_t which) : std::runtime_error("thrown"), number(which) {}
  std::size_t number;
};

}  // namespace

World::World(EventLoop on, Choices& decisions) : choices(decisions), loop_(std::move(on)) {
  for (int i = 0; i < 3; ++i) futures_.push_back(loop_.create_future<int>());
  lines_[0] = std::make_unique<LineOf<Queue<int>>>(2);
  lines_[1] = std::make_unique<LineOf<LifoQueue<int>>>(2);
  // A heap has an order to lose from four items on.
  lines_[2] = std::make_unique<LineOf<PriorityQueue<int>>>(6);
}

Coro<> World::listen() {
  auto handler = [this](StreamReader reader, StreamWriter writer) {
    if (streams_.size() < kStreams)
      streams_.push_back(std::make_shared<Stream>(Streams(std::move(reader), std::move(writer))));
    else
      writer.abort();
  };
  server_ = co_await start_server(handler, "127.0.0.1", 80, ServerOptions().limit(64));
  co_await listen_with_protocols();
}

Coro<> World::close_all() {
  server_->close();
  for (auto& stream : streams_) {
    if (choices.one_in(2))
      stream->writer.abort();
    else
      stream->writer.close();
  }
  streams_.clear();
  close_transports();
  asyncio::testing::Network().heal();
  co_await sleep(1h);
  abort_transports();
  co_await sleep(1s);
  check_transports();
  co_await check_primitives();
}

void World::drop_handles() {
  tasks_.clear();
  futures_.clear();
  handles_.clear();
  streams_.clear();
  server_.reset();
  sides_.clear();
  protocol_server_.reset();
}

// --- Errors -----------------------------------------------------------------------------------

void World::fail_now() {
  arrivals_.push_back(0);
  throw Thrown(arrivals_.size() - 1);
}

void World::arrived(const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const ExceptionGroup& group) {
    for (const auto& each : group.exceptions()) arrived(each);
  } catch (const Thrown& failure) {
    ++arrivals_[failure.number];
  } catch (...) {  // The library's own: it may be anything, but for one that nobody expects.
  }
}

void World::check_errors() const {
  for (int count : arrivals_) check(count > 0, "an error was lost");
}

// --- What does not wait -----------------------------------------------------------------------

Delay World::some_time() { return std::chrono::milliseconds(choices.below(5)); }

World::Task& World::some_task() { return tasks_[choices.byte() % tasks_.size()]; }

Future<int>& World::some_future() { return futures_[choices.byte() % futures_.size()]; }

std::shared_ptr<Stream> World::some_stream() {
  return streams_.empty() ? nullptr : streams_[choices.byte() % streams_.size()];
}

void World::do_something() {
  switch (choices.below(14)) {
    case 1:
    case 2:
    case 3: {
      if (tasks_.size() < kTasks)
        tasks_.push_back(create_task(work(0), TaskOptions().eager_start(choices.one_in(4))));
      break;
    }
    case 4:
      if (!tasks_.empty()) some_task().cancel();
      break;
    case 5:  // the task runs on, and its error is reported
      if (!tasks_.empty())
        tasks_.erase(tasks_.begin() + choices.byte() % static_cast<int>(tasks_.size()));
      break;
    case 6: {
      auto& future = some_future();
      if (future.done()) {
        future = loop_.create_future<int>();
      } else if (choices.one_in(3)) {
        future.cancel("why");
      } else {
        future.set_result(7);
      }
      break;
    }
    case 7:
      if (event_.is_set())
        event_.clear();
      else
        event_.set();
      break;
    case 8:
      schedule();
      break;
    case 9:
      disturb_network();
      break;
    case 10:
      use_stream();
      break;
    case 11:
      use_line();
      break;
    case 12:
    case 13:
      use_transport();
      break;
    default:
      break;
  }
}

void World::schedule() {
  auto call = [this, counted = Counted()] {
    if (choices.one_in(4)) fail_now();
    if (choices.one_in(2) && !tasks_.empty()) some_task().cancel();
  };
  if (choices.one_in(3))
    handles_.push_back(loop_.call_later(some_time(), call));
  else
    handles_.push_back(loop_.call_soon(call));
  if (choices.one_in(3)) handles_.front().cancel();
  if (!tasks_.empty() && choices.one_in(2))
    some_task().add_done_callback([this, counted = Counted()] {
      if (choices.one_in(4)) fail_now();
    });
}

void World::disturb_network() {
  asyncio::testing::Network network;
  switch (choices.below(6)) {
    case 1:
      network.latency(0ms, some_time());
      break;
    case 2:
      network.slices(choices.one_in(2));
      break;
    case 3:
      network.reset("127.0.0.1");
      break;
    case 4:
      network.black_hole("127.0.0.1");
      break;
    default:
      network.heal();
  }
}

void World::use_stream() {
  auto stream = some_stream();
  if (!stream) return;
  switch (choices.below(6)) {
    case 1:
      stream->writer.close();
      break;
    case 2:
      stream->writer.abort();
      break;
    case 3:
      stream->writer.write_eof();
      break;
    case 4:
      std::erase(streams_, stream);
      break;
    default:
      stream->writer.set_write_buffer_limits(choices.byte());
  }
}

// --- What a task does -------------------------------------------------------------------------

Coro<int> World::work(int depth, Counted) {
  for (int i = 0; i < 4; ++i) {
    bool more = co_await step(depth);
    if (!more) break;
  }
  co_return 1;
}

Coro<bool> World::step(int depth) {
  using Step = Coro<> (World::*)(int);
  constexpr Step kSteps[] = {&World::wait_for_time,   &World::wait_for_task,
                             &World::wait_for_future, &World::combine,
                             &World::use_group,       &World::use_timeout,
                             &World::use_lock,        &World::use_condition,
                             &World::use_queue,       &World::generate,
                             &World::connect,         &World::read,
                             &World::write,           &World::clean_up,
                             &World::use_barrier,     &World::connect_with_protocol};
  constexpr int kCount = static_cast<int>(std::size(kSteps));
  int choice = choices.below(kCount + 4);
  if (choice == 0 || depth >= kDepth) co_return false;
  if (choice <= kCount) {
    co_await (this->*kSteps[choice - 1])(depth + 1);
  } else if (choice == kCount + 1) {
    fail_now();
  } else {
    do_something();
  }
  co_return true;
}

Coro<> World::wait_for_time(int) { co_await sleep(some_time()); }

/// With a limit: tasks that wait for each other in a circle through a gather stay in it.
Coro<> World::wait_for_task(int) {
  if (tasks_.empty()) co_return;
  Task task = some_task();
  if (choices.one_in(2)) {
    co_await wait(task, some_time());
  } else {
    auto outcome = co_await capture(wait_for(shield(task), some_time()));
    note(outcome);
    if (outcome.cancelled()) outcome.rethrow();
  }
}

Coro<> World::wait_for_future(int) {
  Future<int> future = some_future();
  auto outcome = co_await capture(wait_for(shield(future), some_time()));
  note(outcome);
  if (outcome.cancelled()) outcome.rethrow();
}

Coro<> World::combine(int depth) {
  std::vector<Task> children;
  for (int i = 1 + choices.below(3); i > 0; --i) children.push_back(create_task(work(depth)));
  switch (choices.below(5)) {
    case 1: {
      auto outcome = co_await capture(gather(children));
      note(outcome);
      if (outcome.cancelled()) outcome.rethrow();
      break;
    }
    case 2: {
      auto all = gather(return_exceptions, children);
      auto outcome = co_await capture(all);
      // Also if a cancellation came with the results: they are in the future.
      if (all.done() && !all.cancelled() && !all.exception())
        for (const auto& each : all.result()) note(each);
      if (!outcome) outcome.rethrow();
      break;
    }
    case 3: {
      co_await wait(children, FIRST_EXCEPTION, some_time());
      break;
    }
    case 4: {
      auto arriving = as_completed(children, some_time());
      while (auto task = co_await arriving.next()) note(co_await capture(*task));
      break;
    }
    default: {
      auto outcome = co_await capture(shield(children.front()));
      note(outcome);
    }
  }
}

Coro<> World::use_group(int depth) {
  auto body = [&](TaskGroup& group) -> Coro<> {
    for (int i = choices.below(4); i > 0; --i) group.create_task(work(depth));
    if (choices.one_in(4)) group.cancel();
    co_await step(depth);
  };
  co_await with(TaskGroup(), body);
}

Coro<> World::use_timeout(int depth) {
  auto body = [&](Timeout& scope) -> Coro<> {
    if (choices.one_in(3)) scope.reschedule(loop_.time() + some_time().duration());
    co_await step(depth);
  };
  co_await with(timeout(some_time()), body);
}

namespace {

AsyncGenerator<int> numbers(Choices* choices, Counted = Counted()) {
  for (int i = 0; i < 4; ++i) {
    co_await sleep(std::chrono::milliseconds(choices->below(3)));
    co_yield i;
  }
}

}  // namespace

Coro<> World::generate(int) {
  auto generator = numbers(&choices);
  for (int i = choices.below(5); i > 0; --i) {
    auto number = co_await generator.next();
    if (!number) break;
  }
  if (choices.one_in(2)) co_await generator.aclose();  // or the loop closes it
}

// --- Streams ----------------------------------------------------------------------------------

Coro<> World::connect(int) {
  if (streams_.size() >= kStreams) co_return;
  auto outcome = co_await capture(open_connection("127.0.0.1", 80, ConnectOptions().limit(64)));
  if (outcome.cancelled()) outcome.rethrow();
  if (outcome) streams_.push_back(std::make_shared<Stream>(std::move(*outcome)));
}

void World::got(Stream& stream, const std::string& bytes) {
  for (char byte : bytes)
    check(static_cast<unsigned char>(byte) == stream.read++ % 256, "bytes were lost or exchanged");
}

Coro<> World::read(int) {
  auto stream = some_stream();
  if (!stream) co_return;
  std::string bytes;
  try {
    std::size_t count = choices.byte();
    if (choices.one_in(3))
      bytes = co_await stream->reader.readexactly(count);
    else if (choices.one_in(3))
      bytes = co_await stream->reader.readuntil("\x20\x21");
    else
      bytes = co_await stream->reader.read(static_cast<std::ptrdiff_t>(count));
  } catch (const IncompleteReadError& cut) {
    bytes = cut.partial;
  } catch (const LimitOverrunError&) {
  } catch (const std::runtime_error&) {  // somebody else reads, or the connection is gone
  }
  got(*stream, bytes);
}

Coro<> World::write(int) {
  auto stream = some_stream();
  if (!stream) co_return;
  std::string bytes;
  for (int left = choices.byte(); left > 0; --left)
    bytes += static_cast<char>(stream->written++ % 256);
  try {
    stream->writer.write(std::move(bytes));
    if (choices.one_in(2)) co_await stream->writer.drain();
    if (choices.one_in(8)) co_await stream->writer.wait_closed();
  } catch (const std::runtime_error&) {  // closed, or gone
  }
}

/// Goes on after a cancellation for a moment, as a clean-up does.
Coro<> World::clean_up(int depth) {
  auto outcome = co_await capture(step(depth));
  auto cleaned = co_await capture(sleep(1ms));
  note(outcome);
  if (outcome.cancelled() && !choices.one_in(3)) outcome.rethrow();
  cleaned.value();
}

}  // namespace fuzz
