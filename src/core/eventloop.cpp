// SPDX-License-Identifier: BSL-1.0
#include "asyncio/eventloop.hpp"

#include "asyncio/future.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <ostream>

namespace asyncio {

ExceptionContext::ExceptionContext(std::string text) : message(std::move(text)) {}
ExceptionContext::~ExceptionContext() = default;
ExceptionContext::ExceptionContext(const ExceptionContext&) = default;

ExceptionContext& ExceptionContext::set_exception(std::exception_ptr error) {
  exception = std::move(error);
  return *this;
}

std::string Handle::source() const { return detail::source_text(state_->where()); }

ExceptionContext& ExceptionContext::set_future(FutureHandle concerned) {
  future = std::make_shared<FutureHandle>(std::move(concerned));
  return *this;
}

ExceptionContext& ExceptionContext::set_task(TaskHandle concerned) {
  task = std::make_shared<TaskHandle>(std::move(concerned));
  return *this;
}

ExceptionContext& ExceptionContext::set_handle(Handle concerned) {
  handle = std::move(concerned);
  return *this;
}

ExceptionContext& ExceptionContext::set_source(std::string where) {
  source = std::move(where);
  return *this;
}

std::vector<std::string> ExceptionContext::keys() const {
  std::vector<std::string> names;
  if (exception) names.push_back("exception");
  if (future) names.push_back("future");
  if (handle) names.push_back("handle");
  names.push_back("message");
  if (!source.empty()) names.push_back("source");
  if (task) names.push_back("task");
  return names;
}

void EventLoop::run_forever() { loop_->run_forever(); }

std::string EventLoop::repr() const {
  auto flag = [](bool value) { return value ? "True" : "False"; };
  return std::string("<EventLoop running=") + flag(is_running()) + " closed=" + flag(is_closed()) +
         " debug=" + flag(get_debug()) + " backend=" + std::string(backend_name()) + ">";
}

std::ostream& operator<<(std::ostream& out, const EventLoop& loop) { return out << loop.repr(); }

namespace {

std::optional<EventLoop>& named_loop() {
  static thread_local std::optional<EventLoop> loop;
  return loop;
}

}  // namespace

EventLoop get_running_loop() { return detail::running_loop().handle(); }

EventLoop get_event_loop() {
  if (detail::Loop* loop = detail::running_loop_or_null()) return loop->handle();
  if (auto& named = named_loop()) return *named;
  throw RuntimeError("There is no current event loop in this thread.");
}

void set_event_loop(std::optional<EventLoop> loop) { named_loop() = std::move(loop); }

}  // namespace asyncio
