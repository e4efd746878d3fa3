// SPDX-License-Identifier: BSL-1.0
#include "asyncio/logging.hpp"

#include "without_sigpipe.hpp"

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

constexpr std::string_view kLibrary = "asyncio";

/// Who read stderr may have gone: that must not end the program.
void write_line(LogLevel level, std::string_view logger, const std::string& message) noexcept {
  (void)detail::without_sigpipe([&] {
    return std::fprintf(stderr, "%.*s %s: %s\n", static_cast<int>(logger.size()), logger.data(),
                        level_name(level).data(), message.c_str());
  });
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

void log(LogLevel level, std::string message) noexcept { log(level, kLibrary, std::move(message)); }

void log(LogLevel level, std::string_view logger, std::string message) noexcept {
  std::shared_ptr<const LogHandler> handler;
  {
    Sink& source = sink();
    std::lock_guard lock(source.mutex);
    handler = source.handler;  // kept alive until the call returns (fault 214)
  }
  if (!handler) return write_line(level, logger, message);
  try {
    (*handler)(LogRecord(level, message, logger));
  } catch (...) {  // A broken handler must not take the loop down; say so and go on.
    write_line(LogLevel::error, kLibrary, "the log handler threw while it was given: " + message);
  }
}

}  // namespace asyncio
