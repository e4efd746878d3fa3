// SPDX-License-Identifier: BSL-1.0
#include "asyncio/stop_signals.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "signal_watchers.hpp"

#include <csignal>
#include <string>
#include <utility>

namespace asyncio {

StopSignals::StopSignals() : loop_(get_running_loop()) {
  auto& watchers = detail::SignalWatchers::of(detail::backend_of(*detail::running_loop_or_null()));
  handled_.reserve(2);
  try {
    for (int number : {SIGINT, SIGTERM}) {
      if (watchers.has(number))
        throw RuntimeError("StopSignals: signal " + std::to_string(number) + " has a handler");
      loop_.add_signal_handler(number, [this] { stop(); });
      handled_.push_back(number);
    }
  } catch (...) {  // Rethrown.
    remove();
    throw;
  }
}

StopSignals::~StopSignals() { remove(); }

void StopSignals::stop() {
  stopped_.set();
  remove();
}

void StopSignals::remove() {
  for (int number : std::exchange(handled_, {})) loop_.remove_signal_handler(number);
}

}  // namespace asyncio
