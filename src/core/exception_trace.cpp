// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/core/exception_trace.hpp"

#include "asyncio/detail/core/promise.hpp"
#include "source_text.hpp"

#include <cstddef>
#include <cstring>

namespace asyncio::detail {

namespace {

struct Frame {
  std::source_location function;
  std::source_location place;
};

/// Of the latest exception that left a coroutine of this thread. Keeps nothing alive.
struct Trace {
  static constexpr std::size_t kFrames = 32;

  const void* error;           // the exception object
  const PromiseBase* expects;  // the frame it goes on to; null if it left a task
  bool handed_on;              // from the task's future, to whatever frame
  std::size_t count;
  Frame frames[kFrames];  // innermost first
};

thread_local constinit Trace trace{};

/// The exception object: what tells two exceptions apart.
const void* object_of(const std::exception_ptr& error) noexcept {
  const void* object = nullptr;
  static_assert(sizeof object == sizeof error);
  std::memcpy(&object, &error, sizeof object);
  return object;
}

}  // namespace

void trace_exception(const PromiseBase& frame, const std::exception_ptr& error) noexcept {
  const void* object = object_of(error);
  // An address may come again; so the frame has to be the one that waited for the last, too.
  if (object != trace.error || (trace.expects != &frame && !trace.handed_on)) trace.count = 0;
  trace.error = object;
  trace.expects = frame.parent();
  trace.handed_on = false;
  if (trace.count < Trace::kFrames) {
    trace.frames[trace.count].function = frame.function;
    trace.frames[trace.count].place = frame.place();
    ++trace.count;
  }
}

void trace_handed_on(const std::exception_ptr& error) noexcept {
  if (object_of(error) == trace.error && !trace.expects) trace.handed_on = true;
}

std::string exception_trace(const std::exception_ptr& error) {
  if (object_of(error) != trace.error) return {};
  std::string text = "Traceback (most recent call last):\n";
  for (std::size_t i = trace.count; i-- > 0;) {
    const Frame& frame = trace.frames[i];
    text += "  File \"" + std::string(frame.place.file_name()) + "\", line " +
            std::to_string(frame.place.line()) + ", in " + function_name(frame.function) + "\n";
  }
  return text;
}

}  // namespace asyncio::detail
