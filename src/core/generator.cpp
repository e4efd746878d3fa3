// SPDX-License-Identifier: BSL-1.0
#include "asyncio/generator.hpp"

#include "asyncio/detail/core/guarded_log.hpp"
#include "asyncio/detail/core/loop.hpp"
#include "asyncio/gather.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "source_text.hpp"

#include <vector>

namespace asyncio {

namespace detail {

void throw_sent_too_early() {
  throw TypeError("can't send non-None value to a just-started async generator");
}

void throw_nothing_sent() {
  throw TypeError(
      "next() sends nothing, and the generator waits for a value: use asend(), or let it take a "
      "std::optional");
}

void GeneratorState::enter(TaskState& consumer, FrameLink& from) {
  if (fresh()) {
    if (broken) throw_broken_frame(*this);
    loop_ = &consumer.loop();
    loop_->adopt_generator(*this);
  }
  state_ = State::running;
  consumer.enter(*this, from);
}

void GeneratorState::yield_to_consumer() noexcept {
  state_ = State::suspended;
  task->leave(*this);
}

void GeneratorState::resumed() {
  if (injected) std::rethrow_exception(std::exchange(injected, nullptr));
}

void GeneratorState::finish() noexcept {
  state_ = State::finished;
  Links::unlink();
  if (std::exchange(kept_, false)) drop_reference();
}

void GeneratorState::outlive(TaskState& abandoned) noexcept {
  abandoned.add_reference();
  abandoned_ = &abandoned;
  finish();
}

void GeneratorState::let_go_of_task() noexcept {
  // The wait may have been fired, for a loop that runs nothing any more.
  static_cast<Ready&>(*abandoned_).unlink();
  abandoned_->drop_reference();
}

void Loop::adopt_generator(GeneratorState& generator) {
  if (generators_shutdown)
    log(LogLevel::warning, "asynchronous generator '" + function_name(generator.function) +
                               "' was scheduled after loop.shutdown_asyncgens() call");
  generators_.push_back(static_cast<Links&>(generator));
}

GeneratorOwner::operator GeneratorRef() const {
  if (!state_) throw RuntimeError("the asynchronous generator has been moved from");
  return GeneratorRef(*state_);
}

namespace {

Coro<void> close_dropped(GeneratorRef generator) { co_await CloseAwaiter(generator); }

}  // namespace

/// CPython: BaseEventLoop._asyncgen_finalizer_hook.
void GeneratorOwner::drop() noexcept {
  GeneratorState* state = std::exchange(state_, nullptr);
  if (!state) return;
  bool suspended = !state->fresh() && !state->running() && !state->finished();
  if (suspended && state->hazard == Hazard::none && !state->loop().closed()) {
    try {
      state->keep_in_loop(true);
      spawn(state->loop(), TaskOptions(), close_dropped(GeneratorRef(*state)), state->function);
      return;
    } catch (...) {  // No memory for a task: the generator is destroyed without its clean-up.
      state->keep_in_loop(false);
      log_guarded(LogLevel::error, [&] {
        return "cannot close asynchronous generator '" + function_name(state->function) +
               "': " + describe_exception(std::current_exception());
      });
    }
  }
  state->drop_reference();
}

GeneratorWait::~GeneratorWait() {
  // Destroyed while the generator runs: its task was abandoned, and so was its body.
  if (entered_ && generator_->running() && generator_->link == this) generator_->finish();
}

bool GeneratorWait::await_ready() {
  if (generator_->running())
    throw RuntimeError("asynchronous generator '" + function_name(generator_->function) +
                       "' is already running");
  return generator_->finished();
}

void GeneratorWait::enter(PromiseBase& consumer) {
  if (entered_) throw_reused_coroutine();
  if (generator_->fresh() && injected_) {
    // Thrown before its first line: nothing of it runs.
    generator_->finish();
    std::rethrow_exception(std::exchange(injected_, nullptr));
  }
  generator_->injected = std::move(injected_);
  generator_->item = nullptr;
  parent = &consumer;
  child = &*generator_;
  generator_->enter(*consumer.task, *this);
  entered_ = true;
}

void* GeneratorWait::take_item() {
  if (!entered_) return nullptr;
  if (generator_->outcome == Outcome::none) return std::exchange(generator_->item, nullptr);
  generator_->finish();
  if (generator_->failed()) std::rethrow_exception(generator_->take_error());
  return nullptr;
}

CloseAwaiter::CloseAwaiter(GeneratorRef generator)
    : GeneratorWait(std::move(generator), std::make_exception_ptr(GeneratorExit())) {}

bool CloseAwaiter::await_ready() {
  if (generator().fresh()) generator().finish();
  return GeneratorWait::await_ready();
}

void CloseAwaiter::await_resume() {
  try {
    if (take_item()) throw RuntimeError("async generator ignored GeneratorExit");
  } catch (const GeneratorExit&) {
    // The generator has ended as it was asked to.
  }
}

}  // namespace detail

/// CPython: BaseEventLoop.shutdown_asyncgens.
Coro<void> EventLoop::shutdown_asyncgens() {
  EventLoop self = *this;
  detail::Loop& loop = self.impl();
  loop.generators_shutdown = true;
  std::vector<Coro<void>> closing;
  std::vector<std::source_location> functions;
  for (auto& links : loop.generators()) {
    auto& generator = static_cast<detail::GeneratorState&>(links);
    functions.push_back(generator.function);
    closing.push_back(detail::close_dropped(detail::GeneratorRef(generator)));
  }
  if (closing.empty()) co_return;
  auto results = co_await gather(return_exceptions, std::move(closing));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i].has_exception()) continue;
    ExceptionContext context("an error occurred during closing of asynchronous generator '" +
                             detail::function_name(functions[i]) + "'");
    context.set_exception(results[i].exception());
    context.set_source(detail::source_text(functions[i]));
    self.call_exception_handler(context);
  }
}

}  // namespace asyncio
