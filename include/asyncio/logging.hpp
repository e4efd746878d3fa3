// SPDX-License-Identifier: BSL-1.0
/// What the library has to say, and programs on it: one sink for all messages.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio {

enum class LogLevel { debug, info, warning, error };

/// "DEBUG", "INFO", "WARNING" or "ERROR", as Python's logging names them.
std::string_view level_name(LogLevel level) noexcept;

/// One message.
class LogRecord {
 public:
  LogRecord(LogLevel severity, std::string text, std::string_view name = "asyncio")
      : level(severity), message(std::move(text)), logger(name) {}

  LogLevel level;
  std::string message;
  /// Who says it: "asyncio" is the library, "asyncio.access" its log of requests.
  std::string logger;
};

using LogHandler = std::function<void(const LogRecord&)>;

/// Replaces the sink; an empty handler restores the default, which writes one line for each
/// record to stderr, "LOGGER LEVEL: MESSAGE"; what nobody reads any more is dropped. An exception
/// that leaves a handler is dropped after a line on stderr.
///
/// Returns  the handler that was set before, empty for the default.
/// Thread   any. A handler may be called by any thread, also while it is being replaced.
/// asyncio  Developing with asyncio, Logging
LogHandler set_log_handler(LogHandler handler);

/// Gives a record to the sink. Never throws. The second form is for programs with a name of their
/// own.
///
/// Thread   any.
void log(LogLevel level, std::string message) noexcept;
void log(LogLevel level, std::string_view logger, std::string message) noexcept;

}  // namespace asyncio
