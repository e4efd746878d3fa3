// SPDX-License-Identifier: BSL-1.0
/// What tests look at: log records, reports to the exception handler, texts of exceptions.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// "asyncio::ValueError: text" of what `function` throws; "nothing".
template <class F>
std::string thrown(F&& function) {
  try {
    std::forward<F>(function)();
  } catch (...) {  // Described: that is what the test asks for.
    return asyncio::describe_exception(std::current_exception());
  }
  return "nothing";
}

/// Collects what is logged while it lives. For one thread.
class LogCapture {
 public:
  LogCapture() {
    previous_ = asyncio::set_log_handler(
        [this](const asyncio::LogRecord& record) { records.push_back(record); });
  }
  ~LogCapture() { asyncio::set_log_handler(previous_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  /// How many messages contain all of `words`.
  template <class... Words>
  std::ptrdiff_t count(const Words&... words) const {
    return std::ranges::count_if(records, [&](const asyncio::LogRecord& record) {
      return (... && (record.message.find(words) != std::string::npos));
    });
  }
  std::string all() const {
    std::string text;
    for (const auto& record : records)
      text += std::string(level_name(record.level)) + ": " + record.message + "\n";
    return text;
  }

  std::vector<asyncio::LogRecord> records;

 private:
  asyncio::LogHandler previous_;
};

/// Collects what `loop` reports to its exception handler, as "message: exception".
class ReportCapture {
 public:
  explicit ReportCapture(asyncio::EventLoop loop) {
    loop.set_exception_handler(
        [this](asyncio::EventLoop, const asyncio::ExceptionContext& context) {
          std::string text = context.message;
          if (context.exception) text += ": " + asyncio::describe_exception(context.exception);
          reports.push_back(text);
          sources.push_back(context.source);
        });
  }
  ReportCapture(const ReportCapture&) = delete;
  ReportCapture& operator=(const ReportCapture&) = delete;

  std::vector<std::string> reports;
  std::vector<std::string> sources;
};

/// Counts the instances of what tests put into frames, tasks and callbacks.
class Counted {
 public:
  Counted() noexcept { ++alive; }
  Counted(const Counted&) noexcept { ++alive; }
  Counted& operator=(const Counted&) noexcept = default;
  ~Counted() { --alive; }

  static inline int alive = 0;
};

}  // namespace test
