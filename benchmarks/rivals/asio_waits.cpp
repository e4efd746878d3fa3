// SPDX-License-Identifier: BSL-1.0
// Boost.Asio: handing items over through channels, waiting for an event, being cancelled.
#include "in_context.hpp"
#include "memory.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <exception>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using bench::Count;
using boost::system::error_code;
using namespace std::chrono_literals;

using Channel = asio::experimental::channel<void(error_code, std::uint64_t)>;

awaitable<void> answer(Channel& questions, Channel& answers) {
  for (;;) {
    error_code closed;
    std::uint64_t value =
        co_await questions.async_receive(asio::redirect_error(use_awaitable, closed));
    if (closed) co_return;
    co_await answers.async_send(error_code(), value + 1, use_awaitable);
  }
}

/// One round trip through two channels that hold one item each.
awaitable<void> ask(Count& count, Channel& questions, Channel& answers) {
  std::uint64_t value = 0;
  while (count.more()) {
    co_await questions.async_send(error_code(), value, use_awaitable);
    value = co_await answers.async_receive(use_awaitable);
  }
  bench::keep(value);
  questions.close();
}

void channel_ping_pong(Count& count) {
  asio::io_context context(1);
  Channel questions(context, 1);
  Channel answers(context, 1);
  asio::co_spawn(context, answer(questions, answers), asio::detached);
  asio::co_spawn(context, ask(count, questions, answers), asio::detached);
  context.run();
}

awaitable<void> innermost(asio::steady_timer& timer) { co_await timer.async_wait(use_awaitable); }
awaitable<void> middle(asio::steady_timer& timer) { co_await innermost(timer); }
awaitable<void> outermost() {
  asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
  co_await middle(timer);
}

/// From the coroutine's start to its end.
void cancel_three_frames(Count& count) {
  asio::io_context context(1);
  while (std::int64_t size = count.batch(1000)) {
    std::vector<asio::cancellation_signal> signals(static_cast<std::size_t>(size));
    for (auto& signal : signals)
      asio::co_spawn(context, outermost(),
                     asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
    context.poll();
    for (auto& signal : signals) signal.emit(asio::cancellation_type::terminal);
    context.run();
    context.restart();
  }
}

awaitable<void> waiter(asio::steady_timer& event) {
  error_code woken;
  co_await event.async_wait(asio::redirect_error(use_awaitable, woken));
}

/// A timer that never expires is Asio's event.
void waiting(Count& count) {
  asio::io_context context(1);
  while (std::int64_t size = count.batch(1'000'000)) {
    asio::steady_timer event(context, asio::steady_timer::time_point::max());
    bench::Resident resident;
    for (std::int64_t i = 0; i < size; ++i) asio::co_spawn(context, waiter(event), asio::detached);
    context.poll();
    resident.report(count, size);
    event.cancel();
    context.run();
    context.restart();
  }
}

using bench::add;
using bench::Operation;

const bool added[] = {
    add(Operation("queue_ping_pong", "asio", channel_ping_pong)),
    add(Operation("cancel_3_frames", "asio", cancel_three_frames)),
    add(Operation("waiting_task", "asio", waiting).batches(1'000'000).memory()),
};

}  // namespace
