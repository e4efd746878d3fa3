// SPDX-License-Identifier: BSL-1.0
#include "asyncio/detail/testing/seed_under_way.hpp"

#include "asyncio/logging.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <exception>
#include <mutex>
#include <new>
#include <string_view>
#include <unistd.h>
#include <utility>

extern "C" {
// What AddressSanitizer and its kin call before they end the process; null without any of them.
[[gnu::weak]] void __sanitizer_set_death_callback(void (*callback)());
// libFuzzer's targets have one: the callback is libFuzzer's there, which keeps the input by it.
[[gnu::weak]] int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);
}

namespace asyncio::testing::detail {

namespace {

/// As the default sink of the log begins its lines.
constexpr std::string_view kPrefix = "asyncio ERROR: ";

std::string line_of(std::uint64_t seed, Replay replay) {
  const std::string number = std::to_string(seed);
  std::string line(kPrefix);
  line.append("seed ").append(number).append(" failed; ");
  line.append(replay == Replay::by_environment ? "SEED=" : "run_simulated with seed ");
  return line.append(number).append(" runs it again\n");
}

/// A signal that ends a process that has gone wrong.
struct Crash {
  explicit constexpr Crash(int number) noexcept : signal(number) {}

  int signal;
  struct sigaction previous{};
  std::atomic<bool> seen{false};
};

Crash crashes[] = {Crash(SIGABRT), Crash(SIGSEGV), Crash(SIGBUS), Crash(SIGFPE), Crash(SIGILL)};

constinit thread_local const SeedUnderWay* seed_of_thread = nullptr;
std::atomic<const SeedUnderWay*> newest_seed{nullptr};
std::atomic<bool> told{false};

/// A crash in a thread without a seed, such as one of an executor, is of the newest run.
void tell_seed() noexcept {
  const SeedUnderWay* seed = seed_of_thread ? seed_of_thread : newest_seed.load();
  if (seed && !told.exchange(true)) seed->write_line();
}

/// What would have handled the signal without us does. The second time it is the default: a
/// handler that was set over ours gives the signal back to it.
void step_aside(Crash& crash) noexcept {
  struct sigaction fallback{};
  fallback.sa_handler = SIG_DFL;
  ::sigaction(crash.signal, crash.seen.exchange(true) ? &fallback : &crash.previous, nullptr);
}

void on_crash(int signal, siginfo_t* info, void*) noexcept {
  const int saved = errno;
  tell_seed();
  for (Crash& crash : crashes)
    if (crash.signal == signal) step_aside(crash);
  // The instruction that faulted does so again, with all that a report or a core dump shows; what
  // was sent, as by abort(), has to be sent again, and arrives when this returns.
  if (info->si_code <= 0) ::raise(signal);
  errno = saved;
}

void watch(Crash& crash) noexcept {
  struct sigaction ours{};
  ours.sa_sigaction = &on_crash;
  ::sigemptyset(&ours.sa_mask);
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  crash.seen = false;
  // Asked for first: the handler may run as soon as it is set.
  if (::sigaction(crash.signal, nullptr, &crash.previous) == 0)
    ::sigaction(crash.signal, &ours, nullptr);
}

void unwatch(const Crash& crash) noexcept {
  struct sigaction current{};
  // Somebody else's by now is theirs.
  if (::sigaction(crash.signal, nullptr, &current) == 0 && current.sa_sigaction == &on_crash)
    ::sigaction(crash.signal, &crash.previous, nullptr);
}

/// It cannot be taken back, and does nothing while no seed is under way.
void watch_sanitizer() noexcept {
  if (&__sanitizer_set_death_callback && !&LLVMFuzzerTestOneInput)
    __sanitizer_set_death_callback([] { tell_seed(); });
}

}  // namespace

/// The seeds under way, of all threads; the first one brings the handlers, the last takes them.
class SeedList {
 public:
  void add(SeedUnderWay& seed) noexcept {
    const std::lock_guard lock(mutex_);
    told = false;
    seed.older_ = newest_;
    if (newest_) newest_->newer_ = &seed;
    if (!std::exchange(newest_, &seed)) {
      watch_sanitizer();
      std::ranges::for_each(crashes, watch);
    }
    newest_seed = newest_;
  }

  void remove(const SeedUnderWay& seed) noexcept {
    const std::lock_guard lock(mutex_);
    if (seed.older_) seed.older_->newer_ = seed.newer_;
    (seed.newer_ ? seed.newer_->older_ : newest_) = seed.older_;
    newest_seed = newest_;
    if (!newest_) std::ranges::for_each(crashes, unwatch);
  }

 private:
  std::mutex mutex_;
  SeedUnderWay* newest_ = nullptr;
};

namespace {

constinit SeedList seeds;

}  // namespace

SeedUnderWay::SeedUnderWay(std::uint64_t seed, Replay replay)
    : exceptions_(std::uncaught_exceptions()) {
  if (seed_of_thread || (seed == 0 && replay == Replay::by_argument)) return;
  line_ = line_of(seed, replay);
  borrow_signal_stack();
  seed_of_thread = this;
  seeds.add(*this);
}

SeedUnderWay::~SeedUnderWay() {
  if (line_.empty()) return;
  seeds.remove(*this);
  seed_of_thread = nullptr;
  return_signal_stack();
  if (std::uncaught_exceptions() <= exceptions_) return;
  // By the log, which may be captured; without memory for another text.
  line_.pop_back();
  line_.erase(0, kPrefix.size());
  log(LogLevel::error, std::move(line_));
}

void SeedUnderWay::write_line() const noexcept {
  if (::write(STDERR_FILENO, line_.data(), line_.size()) < 0) return;  // Nobody is left to tell.
}

/// After a stack overflow there is none to handle the signal on, unless the thread has a second.
void SeedUnderWay::borrow_signal_stack() noexcept {
  constexpr std::size_t bytes = 64 * 1024;
  stack_t current{};
  if (::sigaltstack(nullptr, &current) != 0 || !(current.ss_flags & SS_DISABLE)) return;
  signal_stack_.reset(new (std::nothrow) std::byte[bytes]);
  if (!signal_stack_) return;
  stack_t ours{};
  ours.ss_sp = signal_stack_.get();
  ours.ss_size = bytes;
  ::sigaltstack(&ours, nullptr);
}

void SeedUnderWay::return_signal_stack() noexcept {
  stack_t current{};
  if (!signal_stack_ || ::sigaltstack(nullptr, &current) != 0) return;
  if (current.ss_sp != signal_stack_.get()) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
}

}  // namespace asyncio::testing::detail
