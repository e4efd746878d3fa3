// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace asyncio::detail {

/// A backend without an operating system: a clock that begins at zero and jumps to the next
/// deadline when nothing is ready. While a thread works for the loop the clock follows real time
/// instead, since nobody can tell how long the thread will take.
class SimulatedPoller;

std::unique_ptr<Backend> make_simulated_backend(std::uint64_t seed);

/// What can be asked of a simulated network; see testing::SimulatedNetwork, which checks arguments.
class SimulatedConditions {
 public:
  virtual ~SimulatedConditions() = default;

  virtual void set_latency(std::chrono::nanoseconds least,
                           std::chrono::nanoseconds most) noexcept = 0;
  virtual void set_slices(bool on) noexcept = 0;
  virtual void set_resets(unsigned one_in) noexcept = 0;
  /// Between two hosts; with an empty `other`, between `host` and everybody else.
  virtual void cut(const std::string& host, const std::string& other) = 0;
  /// Mends all cuts.
  virtual void heal() noexcept = 0;
  /// Returns how many connections of `host` were reset.
  virtual std::size_t reset_connections(const std::string& host) noexcept = 0;
};

/// The network of `loop`; null if it is not simulated.
SimulatedConditions* simulated_conditions(Loop& loop) noexcept;

/// Lets the virtual clock of the loop running in this thread pass `amount`, as blocking code
/// would. Returns false if that loop is not simulated.
bool advance_simulated_clock(Delay amount);

}  // namespace asyncio::detail
