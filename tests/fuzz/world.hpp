// SPDX-License-Identifier: BSL-1.0
/// What the operations of `operations.cpp` work on.
#pragma once

#include "asyncio/asyncio.hpp"
#include "captures.hpp"
#include "choices.hpp"
#include "world_queues.hpp"
#include "world_transports.hpp"

#include <array>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fuzz {

using test::Counted;

/// One end of a connection. What is written counts up from 0, byte by byte; so what comes has to
/// count up as well.
class Stream {
 public:
  explicit Stream(asyncio::Streams streams)
      : reader(std::move(streams.first)), writer(std::move(streams.second)) {}

  asyncio::StreamReader reader;
  asyncio::StreamWriter writer;
  std::size_t written = 0;
  std::size_t read = 0;
};

class World {
 public:
  World(asyncio::EventLoop on, Choices& decisions);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  asyncio::Coro<> listen();
  /// One operation that does not wait.
  void do_something();
  asyncio::Delay some_time();
  /// After all tasks have ended.
  asyncio::Coro<> close_all();
  void drop_handles();
  /// An error has come to somebody who awaits, or to the exception handler.
  void arrived(const std::exception_ptr& error);
  /// Every error that was thrown must have arrived.
  void check_errors() const;
  /// Throws an error, which has to arrive.
  [[noreturn]] void fail_now();
  /// The other end of its connection; null if that is not known.
  const Side* peer_of(const Side& side) const;

  Choices& choices;
  bool tidy = false;

 private:
  using Task = asyncio::Task<int>;

  /// What a task does: a few steps, each a wait or an operation.
  asyncio::Coro<int> work(int depth, Counted = Counted());
  /// One step; false to end.
  asyncio::Coro<bool> step(int depth);
  asyncio::Coro<> wait_for_time(int depth);
  asyncio::Coro<> wait_for_task(int depth);
  asyncio::Coro<> wait_for_future(int depth);
  asyncio::Coro<> combine(int depth);
  asyncio::Coro<> use_group(int depth);
  asyncio::Coro<> use_timeout(int depth);
  asyncio::Coro<> use_lock(int depth);
  asyncio::Coro<> use_semaphore(int depth);
  asyncio::Coro<int> stand_in_line();
  asyncio::Coro<> use_condition(int depth);
  asyncio::Coro<> use_queue(int depth);
  asyncio::Coro<> generate(int depth);
  asyncio::Coro<> connect(int depth);
  asyncio::Coro<> read(int depth);
  asyncio::Coro<> write(int depth);
  asyncio::Coro<> clean_up(int depth);
  asyncio::Coro<> use_barrier(int depth);
  asyncio::Coro<> connect_with_protocol(int depth);

  asyncio::Coro<> pass_barrier();
  asyncio::Coro<> check_primitives();
  asyncio::Coro<> check_barrier();
  asyncio::Coro<> listen_with_protocols();
  std::shared_ptr<Side> new_side(Role role);
  void close_transports();
  void abort_transports();
  void check_transports() const;

  template <class R>
  void note(const R& outcome) {
    if (outcome.has_exception()) arrived(outcome.exception());
  }
  void got(Stream& stream, const std::string& bytes);
  void schedule();
  void disturb_network();
  void use_stream();
  void use_line();
  void use_transport();
  Task& some_task();
  asyncio::Future<int>& some_future();
  std::shared_ptr<Stream> some_stream();
  Line& some_line();

  static constexpr int kParties = 2;

  asyncio::EventLoop loop_;
  std::vector<int> arrivals_;  // of each error, how often
  std::vector<Task> tasks_;
  std::vector<asyncio::Future<int>> futures_;
  std::vector<asyncio::Handle> handles_;
  std::optional<asyncio::Server> server_;
  std::vector<std::shared_ptr<Stream>> streams_;
  asyncio::Lock lock_;
  asyncio::Semaphore semaphore_{2};
  asyncio::Event event_;
  asyncio::Condition condition_;
  std::array<std::unique_ptr<Line>, 3> lines_;
  asyncio::Barrier barrier_{kParties};
  int rounds_ = 0;  // of the barrier, that were complete
  int passed_ = 0;  // who left it with a place
  std::optional<asyncio::Server> protocol_server_;
  std::vector<std::shared_ptr<Side>> sides_;
};

}  // namespace fuzz
