// SPDX-License-Identifier: BSL-1.0
/// What other programs write, awaited.
#pragma once

#include "asyncio/sleep.hpp"
#include "program.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <regex>
#include <string>

namespace test {

/// Waits until the program has written something that matches, or for 20 seconds. Returns all it
/// wrote since the last call.
inline asyncio::Coro<std::string> output_until(const Program& program, std::string expression) {
  std::string text;
  std::regex wanted(expression);
  for (int i = 0; i < 4000 && !std::regex_search(text, wanted); ++i) {
    co_await asyncio::sleep(std::chrono::milliseconds(5));
    text += program.read_some();
  }
  EXPECT_TRUE(std::regex_search(text, wanted)) << "no '" << expression << "' in: " << text;
  co_return text;
}

/// The number in the first parenthesis of what the program has written.
inline asyncio::Coro<std::uint16_t> port_of(const Program& program, std::string expression) {
  std::string text = co_await output_until(program, expression);
  std::smatch match;
  std::regex_search(text, match, std::regex(expression));
  co_return static_cast<std::uint16_t>(std::stoi(match[1]));
}

}  // namespace test
