// SPDX-License-Identifier: BSL-1.0
/// The programs of apps/ as their users start them.
#pragma once

#include "asyncio/subprocess.hpp"

#include <concepts>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// What a program did that ends by itself.
struct Outcome {
  int status = 0;
  std::string out, err;
};

inline asyncio::Coro<Outcome> outcome_of(std::vector<std::string> command) {
  asyncio::SubprocessOptions options;
  options.stdout(asyncio::PIPE).stderr(asyncio::PIPE);
  asyncio::Process process = co_await asyncio::create_subprocess_exec(options, std::move(command));
  auto [out, err] = co_await process.communicate();
  Outcome outcome;
  outcome.status = process.returncode().value();
  outcome.out = std::move(out);
  outcome.err = std::move(err);
  co_return outcome;
}
template <std::convertible_to<std::string>... Words>
asyncio::Coro<Outcome> outcome_of(const Words&... words) {
  std::vector<std::string> command;
  (command.emplace_back(words), ...);
  return outcome_of(std::move(command));
}

}  // namespace test
