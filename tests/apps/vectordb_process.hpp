// SPDX-License-Identifier: BSL-1.0
/// The program of apps/vectordb: a process that serves, and one for each command.
#pragma once

#include "folder.hpp"
#include "program.hpp"
#include <asyncio/asyncio.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace test {

inline std::vector<std::string> words(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream stream(line);
  for (std::string word; stream >> word;) all.push_back(word);
  return all;
}

/// A server of its own, which commands talk to.
class Program {
 public:
  Program(asyncio::Process process, std::string url)
      : process_(std::move(process)), url_(std::move(url)) {}

  const std::string& url() const noexcept { return url_; }
  const asyncio::Process& process() const noexcept { return process_; }

  /// Runs a command: words between blanks.
  asyncio::Coro<Outcome> operator()(const std::string& line) const {
    return outcome_of(words(VECTORDB " " + line + " --url " + url_));
  }
  asyncio::Coro<int> stop() const {
    process_.send_signal(SIGTERM);
    int status = co_await process_.wait();
    co_return status;
  }

 private:
  asyncio::Process process_;
  std::string url_;
};

/// `more` are words between blanks.
inline std::vector<std::string> serve_command(const std::string& folder,
                                              const std::string& more = {}) {
  std::vector<std::string> command{VECTORDB, "serve", "--port", "0", "--quiet", "--data", folder};
  for (std::string& word : words(more)) command.push_back(std::move(word));
  return command;
}

inline asyncio::Coro<Program> started(std::string folder, std::string more = {}) {
  asyncio::SubprocessOptions options;
  options.stdout(asyncio::PIPE).stderr(asyncio::DEVNULL);
  asyncio::Process process =
      co_await asyncio::create_subprocess_exec(options, serve_command(folder, more));
  std::string line = co_await process.stdout()->readline();
  std::size_t begin = line.find("http://");
  if (begin == std::string::npos) throw asyncio::RuntimeError("it says: " + line);
  co_return Program(std::move(process), line.substr(begin, line.size() - begin - 2));
}

template <class F>
void with_program(const Folder& folder, F body, std::string more = {}) {
  asyncio::run([&]() -> asyncio::Coro<> {
    Program program = co_await started(folder.path(), more);
    auto outcome = co_await asyncio::capture(body(program));
    int status = co_await program.stop();
    outcome.value();
    EXPECT_EQ(status, 0);
  });
}

/// A command, its exit status, and a part of what it says.
struct Command {
  std::string line;
  int status;
  std::string says;
};

inline asyncio::Coro<> run_each(const Program& program, const std::vector<Command>& commands) {
  for (const Command& command : commands) {
    Outcome outcome = co_await program(command.line);
    EXPECT_EQ(outcome.status, command.status) << command.line << "\n" << outcome.err;
    std::string said = outcome.out + outcome.err;
    EXPECT_NE(said.find(command.says), std::string::npos) << command.line << "\n" << said;
  }
}

/// What a command prints.
inline asyncio::Coro<nlohmann::json> json_of(const Program& program, const std::string& line) {
  Outcome outcome = co_await program(line);
  EXPECT_EQ(outcome.status, 0) << line << outcome.err;
  nlohmann::json value = nlohmann::json::parse(outcome.out, nullptr, false);
  EXPECT_FALSE(value.is_discarded()) << line << "\n" << outcome.out;
  co_return value;
}

}  // namespace test
