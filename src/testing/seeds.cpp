// SPDX-License-Identifier: BSL-1.0
#include "asyncio/testing/seeds.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace asyncio::testing::detail {

namespace {

std::optional<std::uint64_t> number_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (!value) return std::nullopt;
  std::string_view text = value;
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc() || end != text.end())
    throw ValueError(std::string(variable) + " in the environment is not a number: '" + value +
                     "'");
  return number;
}

}  // namespace

Seeds seeds_to_run(std::uint64_t count) {
  if (auto one = number_in("SEED")) return {*one, 1};
  return {1, number_in("ASYNCIO_SEEDS").value_or(count)};
}

RunOptions options_naming(std::uint64_t seed) {
  const std::string number = std::to_string(seed);
  std::string line = "seed " + number + " is under way; SEED=" + number + " runs it again";
  auto report = [line](EventLoop loop, const ExceptionContext& context) {
    loop.default_exception_handler(context);
    log(LogLevel::error, line);
  };
  RunOptions options;
  options.loop_factory([seed, report] {
    EventLoop loop = new_simulated_event_loop(seed);
    loop.set_exception_handler(report);
    return loop;
  });
  return options;
}

}  // namespace asyncio::testing::detail
