// SPDX-License-Identifier: BSL-1.0
// own_selector TEXT: an event loop on poll(2). Sends the text through an echo server and a program,
// and prints what comes back.
#include <asyncio/asyncio.hpp>

#include <cerrno>
#include <cstdio>
#include <map>
#include <poll.h>
#include <string>
#include <utility>
#include <vector>

using namespace asyncio;

// [selector]
/// poll(2), which most systems have.
class PollSelector : public Selector {
 public:
  std::string_view name() const noexcept override { return "poll"; }

  int modify(int fd, unsigned events) noexcept override {
    if (events == 0)
      watched_.erase(fd);
    else
      watched_[fd] = events;
    return 0;
  }

  std::vector<Key> select(std::optional<std::chrono::nanoseconds> timeout) override {
    std::vector<pollfd> asked;
    for (auto [fd, events] : watched_) {
      int wanted = (events & EVENT_READ ? POLLIN : 0) | (events & EVENT_WRITE ? POLLOUT : 0);
      asked.push_back({fd, static_cast<short>(wanted), 0});
    }
    timespec limit{};
    if (timeout) limit = {timeout->count() / 1'000'000'000, timeout->count() % 1'000'000'000};
    int count = ppoll(asked.data(), asked.size(), timeout ? &limit : nullptr, nullptr);
    if (count < 0 && errno != EINTR) throw_os_error(errno, "poll");

    std::vector<Key> ready;
    for (const pollfd& answer : asked) {
      bool failed = (answer.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
      bool readable = failed || (answer.revents & POLLIN) != 0;
      bool writable = failed || (answer.revents & POLLOUT) != 0;
      unsigned events = (readable ? EVENT_READ : 0) | (writable ? EVENT_WRITE : 0);
      if (events != 0) ready.push_back({answer.fd, events});
    }
    return ready;
  }

 private:
  std::map<int, unsigned> watched_;
};

EventLoop new_poll_event_loop() {
  return new_selector_event_loop(std::make_unique<PollSelector>());
}
// [/selector]

Coro<> echo(StreamReader reader, StreamWriter writer) {
  while (auto line = co_await reader.next()) co_await writer.send(*line);
  writer.close();
}

Coro<> talk(std::string text) {
  Server server = co_await start_server(echo, "127.0.0.1", 0);
  auto [reader, writer] = co_await open_connection("127.0.0.1", server.sockets().at(0).port());
  co_await writer.send(text + "\n");
  Bytes line = co_await reader.readline();
  writer.close();
  server.close();
  co_await server.wait_closed();
  std::printf("echo: %s", line.c_str());

  SubprocessOptions piped = SubprocessOptions().stdin(PIPE).stdout(PIPE);
  Process process = co_await create_subprocess_exec(piped, "tr", "a-z", "A-Z");
  auto [out, err] = co_await process.communicate(line);
  std::printf("tr: %s", out.c_str());
}

// [run]
int main(int argc, char** argv) {
  if (argc != 2) return std::fprintf(stderr, "usage: own_selector TEXT\n"), 2;
  run(talk(argv[1]), RunOptions().loop_factory(new_poll_event_loop));
}
// [/run]
