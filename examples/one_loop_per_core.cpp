// SPDX-License-Identifier: BSL-1.0
// one_loop_per_core [PORT] [THREADS]: an echo server with an event loop on each core. The line
// "count" is answered with how many clients each of them has had.
#include <asyncio/asyncio.hpp>

#include <cstdio>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace asyncio;

// [core]
/// A loop on a thread of its own. What belongs to it is used on that thread alone; others ask.
class Core {
 public:
  /// Serves until `stop`. Nobody does before everybody can be asked.
  Coro<> serve(std::uint16_t port, const std::vector<Core*>& all, std::latch& ready) {
    all_ = all;
    loop_ = get_running_loop();
    ready.arrive_and_wait();
    auto handler = [this](StreamReader reader, StreamWriter writer) {
      return talk(std::move(reader), std::move(writer));
    };
    // All of them listen at the same port, and the kernel deals the connections out.
    Server server =
        co_await start_server(handler, "127.0.0.1", port, ServerOptions().reuse_port(true));
    co_await stop_.wait();
    server.close();
    server.abort_clients();
    co_await server.wait_closed();
  }

  /// From any thread: a function for the loop to call.
  void stop() {
    loop_->call_soon_threadsafe([this] { stop_.set(); });
  }

  /// From any thread with a loop: a coroutine that runs here, and whose result is awaited there.
  Coro<int> ask_clients() {
    if (*loop_ == get_running_loop()) co_return clients_;
    auto count = [this]() -> Coro<int> { co_return clients_; };
    ConcurrentFuture<int> answer = run_coroutine_threadsafe(count(), *loop_);
    co_return co_await wrap_future(answer);
  }

 private:
  Coro<> talk(StreamReader reader, StreamWriter writer) {
    ++clients_;
    while (auto line = co_await reader.next()) {
      if (*line == "count\n") {
        line->clear();
        for (Core* core : all_) {
          int count = co_await core->ask_clients();
          *line += std::to_string(count) + " ";
        }
        line->back() = '\n';
      }
      co_await writer.send(*line);
    }
  }

  std::vector<Core*> all_;
  std::optional<EventLoop> loop_;
  Event stop_;
  int clients_ = 0;
};
// [/core]

// [main]
/// The cores serve beside this, which waits for Ctrl-C.
Coro<> serve_on_all_cores(std::uint16_t port, unsigned threads) {
  std::vector<Core> cores(threads);
  std::vector<Core*> all;
  for (Core& core : cores) all.push_back(&core);
  std::latch ready(threads + 1);
  std::vector<std::jthread> running;
  for (Core& core : cores) running.emplace_back([&] { run(core.serve(port, all, ready)); });
  ready.arrive_and_wait();
  std::printf("%u loops serve port %u\n", threads, port);
  std::fflush(stdout);
  auto stop = [&] {
    for (Core& core : cores) core.stop();
  };
  co_await try_([]() -> Coro<> { co_await Event().wait(); }).finally_(stop);
}
// [/main]

int main(int argc, char** argv) {
  int port = argc > 1 ? std::stoi(argv[1]) : 8891;
  unsigned threads = argc > 2 ? static_cast<unsigned>(std::stoi(argv[2]))
                              : std::max(1u, std::thread::hardware_concurrency());
  return run_main(serve_on_all_cores(static_cast<std::uint16_t>(port), threads));
}
