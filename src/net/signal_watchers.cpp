// SPDX-License-Identifier: BSL-1.0
#include "signal_watchers.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "net_state.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>
#include <utility>

namespace asyncio::detail {

struct SignalWatchers::Watcher : Ready, std::enable_shared_from_this<Watcher> {
  Watcher(Loop& home, int number, std::unique_ptr<RepeatedCall> callback)
      : Ready(&Watcher::on_posted), loop(home), signal(number), call(std::move(callback)) {}

  void install();
  static void on_posted(Ready& node);
  static void on_signal(int number) noexcept;

  Loop& loop;
  const int signal;
  std::shared_ptr<RepeatedCall> call;
  struct sigaction previous{};
  std::atomic<int> count{0};  // signals that the callback does not know of yet
};

namespace {

/// CPython: _UnixSelectorEventLoop._check_signal, signal.valid_signals. The set of all signals is
/// without those that the C library keeps for itself.
void check_signal(int signal) {
  sigset_t all;
  ::sigfillset(&all);
  if (::sigismember(&all, signal) != 1)
    throw ValueError("invalid signal number " + std::to_string(signal));
}

/// By signal; what a signal handler may read.
std::atomic<void*> active[NSIG];
/// Signal handlers under way, on any thread.
std::atomic<int> handlers{0};

}  // namespace

/// Async-signal-safe.
void SignalWatchers::Watcher::on_signal(int number) noexcept {
  int saved = errno;
  handlers.fetch_add(1, std::memory_order_seq_cst);
  auto* watcher = static_cast<Watcher*>(active[number].load(std::memory_order_seq_cst));
  // Only the first one of several posts the node.
  if (watcher && watcher->count.fetch_add(1, std::memory_order_acq_rel) == 0)
    (void)watcher->loop.post_from_signal(*watcher);
  handlers.fetch_sub(1, std::memory_order_seq_cst);
  errno = saved;
}

void SignalWatchers::Watcher::install() {
  void* nobody = nullptr;
  if (!active[signal].compare_exchange_strong(nobody, this))
    throw RuntimeError("signal " + std::to_string(signal) + " is handled by another loop");
  struct sigaction ours{};
  ours.sa_handler = &Watcher::on_signal;
  ::sigemptyset(&ours.sa_mask);
  ours.sa_flags = SA_RESTART;
  if (::sigaction(signal, &ours, &previous) == 0) return;
  active[signal].store(nullptr);
  throw RuntimeError("sig " + std::to_string(signal) + " cannot be caught");
}

void SignalWatchers::Watcher::on_posted(Ready& node) {
  auto watcher = static_cast<Watcher&>(node).shared_from_this();
  for (int left = watcher->count.exchange(0, std::memory_order_acq_rel); left > 0; --left) {
    // The callback may remove itself, or be replaced.
    if (active[watcher->signal].load(std::memory_order_relaxed) != watcher.get()) return;
    auto call = watcher->call;
    call->call(watcher->loop);
  }
}

SignalWatchers& SignalWatchers::of(Backend& backend) {
  auto& watchers = net_state(backend).signals;
  if (!watchers) watchers = std::make_shared<SignalWatchers>(backend);
  return *watchers;
}

SignalWatchers::~SignalWatchers() { loop_closing(); }

void SignalWatchers::add(int signal, std::unique_ptr<RepeatedCall> call) {
  check_signal(signal);
  if (auto found = watchers_.find(signal); found != watchers_.end()) {
    found->second->call = std::move(call);
    return;
  }
  auto watcher = std::make_shared<Watcher>(backend_.loop(), signal, std::move(call));
  auto place = watchers_.emplace(signal, watcher).first;
  try {
    watcher->install();
  } catch (...) {  // Rethrown.
    watchers_.erase(place);
    throw;
  }
  backend_.may_be_woken(+1);
}

bool SignalWatchers::remove(int signal) noexcept {
  auto found = watchers_.extract(signal);
  if (!found) return false;
  Watcher& watcher = *found.mapped();
  struct sigaction current{};
  // Somebody else's by now is theirs.
  if (::sigaction(signal, nullptr, &current) == 0 && current.sa_handler == &Watcher::on_signal)
    ::sigaction(signal, &watcher.previous, nullptr);
  active[signal].store(nullptr, std::memory_order_seq_cst);
  // A handler may be under way in another thread; it must be done with the watcher.
  while (handlers.load(std::memory_order_seq_cst) != 0) std::this_thread::yield();
  backend_.loop().withdraw(watcher);
  backend_.may_be_woken(-1);
  return true;
}

void SignalWatchers::loop_closing() noexcept {
  while (!watchers_.empty()) remove(watchers_.begin()->first);
}

}  // namespace asyncio::detail

namespace asyncio {

void EventLoop::watch_signal(int signal, std::unique_ptr<detail::RepeatedCall> call) {
  loop_->check_schedulable();
  detail::SignalWatchers::of(detail::backend_of(*loop_)).add(signal, std::move(call));
}

bool EventLoop::remove_signal_handler(int signal) {
  detail::check_signal(signal);
  if (loop_->closed()) return false;
  loop_->check_schedulable();
  return detail::SignalWatchers::of(detail::backend_of(*loop_)).remove(signal);
}

}  // namespace asyncio
