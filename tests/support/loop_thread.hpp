// SPDX-License-Identifier: BSL-1.0
/// A loop that runs in a thread of its own.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/runner.hpp"

#include <thread>
#include <utility>

namespace test {

/// Runs from its construction on; its end stops and closes the loop, and joins the thread. What was
/// posted before has run by then.
class LoopThread {
 public:
  explicit LoopThread(asyncio::EventLoop to_run = asyncio::new_event_loop())
      : loop(std::move(to_run)), thread_([this] { loop.run_forever(); }) {}
  ~LoopThread() {
    loop.call_soon_threadsafe([this] { loop.stop(); });
    thread_.join();
    loop.close();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  asyncio::EventLoop loop;

 private:
  std::thread thread_;
};

}  // namespace test
