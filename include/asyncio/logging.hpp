// SPDX-License-Identifier: BSL-1.0
/// What the library has to say: one sink for all its messages.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace asyncio {

enum class LogLevel { debug, info, warning, error };

/// "DEBUG", "INFO", "WARNING" or "ERROR", as Python's logging names them.
std::string_view level_name(LogLevel level) noexcept;

/// One message.
class LogRecord {
 public:
  LogRecord(LogLevel severity, std::string text) : level(severity), message(std::move(text)) {}

  LogLevel level;
  std::string message;
};

using LogHandler = std::function<void(const LogRecord&)>;

/// Replaces the sink; an empty handler restores the default, which writes one line for each
/// record to stderr. An exception that leaves a handler is dropped after a line on stderr.
///
/// Returns  the handler that was set before, empty for the default.
/// Thread   any. A handler may be called by any thread, also while it is being replaced.
/// asyncio  Developing with asyncio, Logging
LogHandler set_log_handler(LogHandler handler);

/// Gives a record to the sink. Never throws.
void log(LogLevel level, std::string message) noexcept;

}  // namespace asyncio
