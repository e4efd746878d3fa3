// SPDX-License-Identifier: BSL-1.0
#include "asyncio/logging.hpp"

#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

namespace asyncio {

namespace {

/// Never destroyed: a message may come from the destructor of a static object.
struct Sink {
  std::mutex mutex;
  std::shared_ptr<const LogHandler> handler;
};

Sink& sink() {
  static Sink& instance = *new Sink;
  return instance;
}

void write_line(LogLevel level, const std::string& message) noexcept {
  std::fprintf(stderr, "asyncio %s: %s\n", level_name(level).data(), message.c_str());
}

}  // namespace

std::string_view level_name(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "DEBUG";
    case LogLevel::info:
      return "INFO";
    case LogLevel::warning:
      return "WARNING";
    case LogLevel::error:
      return "ERROR";
  }
  return "UNKNOWN";
}

LogHandler set_log_handler(LogHandler handler) {
  auto next = handler ? std::make_shared<const LogHandler>(std::move(handler)) : nullptr;
  Sink& target = sink();
  std::lock_guard lock(target.mutex);
  std::swap(target.handler, next);
  return next ? *next : LogHandler();
}

void log(LogLevel level, std::string message) noexcept {
  std::shared_ptr<const LogHandler> handler;
  {
    Sink& source = sink();
    std::lock_guard lock(source.mutex);
    handler = source.handler;  // kept alive until the call returns (fault 214)
  }
  if (!handler) return write_line(level, message);
  try {
    (*handler)(LogRecord(level, message));
  } catch (...) {  // A broken handler must not take the loop down; say so and go on.
    write_line(LogLevel::error, "the log handler threw while it was given: " + message);
  }
}

}  // namespace asyncio
