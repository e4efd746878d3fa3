// SPDX-License-Identifier: BSL-1.0
#include "webservice/successor.hpp"

#include <asyncio/capture.hpp>
#include <asyncio/eventloop.hpp>
#include <asyncio/exceptions.hpp>
#include <asyncio/timeout.hpp>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace webservice {

using namespace asyncio;

namespace {

constexpr int kFirstSocket = 3;  // SD_LISTEN_FDS_START
constexpr const char* kReady = "WEBSERVICE_READY_FD";
/// What the successor may take until it listens.
constexpr auto kPatience = std::chrono::seconds(30);

/// Becomes the program, which is to be told its own number: nobody knows it before it is started.
constexpr const char* kStart =
    R"(export LISTEN_PID=$$ LISTEN_FDS="$0" WEBSERVICE_READY_FD="$1"
       unset LISTEN_FDNAMES; shift; exec "$@")";

/// 0 if it is not there, or no number.
int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  int number = 0;
  auto [at, error] = std::from_chars(text, end, number);
  return error == std::errc() && at == end ? number : 0;
}

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int get() const noexcept { return number_; }

 private:
  int number_;
};

/// Two ends of a connection between processes.
std::pair<Descriptor, Descriptor> connected() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    throw OSError(errno, "socketpair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

/// Descriptors that a program has under the numbers from 3 on.
class Handed {
 public:
  Handed() { ::posix_spawn_file_actions_init(&actions_); }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;
  ~Handed() { ::posix_spawn_file_actions_destroy(&actions_); }

  /// `most`: how many there will be. The copy is above them all, so that none overwrites another.
  void add(int descriptor, int most) {
    Descriptor copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstSocket + most));
    int target = kFirstSocket + static_cast<int>(copies_.size());
    int error = copy.get() < 0 ? errno : 0;
    if (error == 0) error = ::posix_spawn_file_actions_adddup2(&actions_, copy.get(), target);
    if (error != 0) throw OSError(error, "copy descriptor " + std::to_string(descriptor));
    copies_.push_back(std::move(copy));
  }
  const posix_spawn_file_actions_t* actions() const noexcept { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
  std::vector<Descriptor> copies_;
};

/// A process that is killed unless it is let go: one that the library starts ends with the loop.
class Child {
 public:
  explicit Child(pid_t pid) noexcept : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) end();
  }

  void let_go() noexcept { pid_ = -1; }
  /// How it has ended, if it had.
  std::string end() {
    int status = 0;
    ::kill(pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    if (WIFEXITED(status)) return "status " + std::to_string(WEXITSTATUS(status));
    return "signal " + std::to_string(WTERMSIG(status));
  }

 private:
  pid_t pid_;
};

pid_t spawn(const std::vector<std::string>& command, const std::vector<ListeningSocket>& sockets,
            Descriptor ready) {
  const int count = static_cast<int>(sockets.size());
  Handed handed;
  for (const ListeningSocket& socket : sockets) handed.add(socket.fileno(), count + 1);
  handed.add(ready.get(), count + 1);
  std::vector<std::string> words{"sh", "-c", kStart, std::to_string(count),
                                 std::to_string(kFirstSocket + count)};
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid = -1;
  int error = ::posix_spawn(&pid, "/bin/sh", handed.actions(), nullptr, arguments.data(), environ);
  if (error != 0) throw OSError(error, "start /bin/sh");
  return pid;
}

}  // namespace

std::vector<int> inherited_sockets() {
  std::vector<int> sockets;
  if (number_in("LISTEN_PID") != ::getpid()) return sockets;
  const int count = number_in("LISTEN_FDS");
  for (int i = 0; i < count; ++i) {
    const int number = kFirstSocket + i;
    if (::fcntl(number, F_SETFD, FD_CLOEXEC) != 0)
      throw OSError(
          errno, "LISTEN_FDS=" + std::to_string(count) + ": descriptor " + std::to_string(number));
    sockets.push_back(number);
  }
  return sockets;
}

void tell_predecessor() {
  if (number_in("LISTEN_PID") != ::getpid()) return;
  if (int number = number_in(kReady); number > 0) {
    Descriptor ready(number);
    (void)::send(ready.get(), "1", 1, MSG_NOSIGNAL);  // it may have gone
  }
}

Coro<> start_successor(std::vector<std::string> command, std::vector<ListeningSocket> sockets) {
  auto [ours, theirs] = connected();
  Child child(spawn(command, sockets, std::move(theirs)));
  auto said = co_await capture(wait_for(get_running_loop().sock_recv(ours.get(), 1), kPatience));
  if (said.cancelled()) said.rethrow();
  const bool has_ended = said && said.value().empty();
  if (has_ended)
    throw RuntimeError("the successor has ended, before it listened, with " + child.end());
  if (!said) throw RuntimeError("the successor does not listen after 30 seconds");
  child.let_go();
}

}  // namespace webservice
