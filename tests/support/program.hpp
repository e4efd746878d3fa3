// SPDX-License-Identifier: BSL-1.0
/// Other programs as peers.
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace test {

/// A running program with pipes to its input and from its output. It is killed with this object.
class Program {
 public:
  explicit Program(std::vector<std::string> words) {
    std::array<int, 2> in, out;
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0)
      throw std::runtime_error("pipe");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ < 0) throw std::runtime_error("fork");
    if (child_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::dup2(out[1], 2);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = out[0];
    ::fcntl(to_, F_SETFL, O_NONBLOCK);
    ::fcntl(from_, F_SETFL, O_NONBLOCK);
  }
  ~Program() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
    if (to_ >= 0) ::close(to_);
    ::close(from_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// For StreamReader and the like: pipes stay this object's.
  int input() const { return to_; }
  int output() const { return from_; }
  void write(const std::string& text) const {
    if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
      throw std::runtime_error("write to a program");
  }
  void close_input() { ::close(std::exchange(to_, -1)); }
  void kill(int signal) const { ::kill(child_, signal); }
  /// What it has written by now.
  std::string read_some() const {
    std::string text;
    std::array<char, 4096> room;
    for (ssize_t got; (got = ::read(from_, room.data(), room.size())) > 0;)
      text.append(room.data(), static_cast<std::size_t>(got));
    return text;
  }

 private:
  pid_t child_;
  int to_;
  int from_;
};

/// Whether the program is installed.
inline bool installed(const std::string& program) {
  return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace test
