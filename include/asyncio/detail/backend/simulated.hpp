// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

/// A backend without an operating system: a clock that begins at zero and jumps to the next
/// deadline when nothing is ready. While a thread works for the loop the clock follows real time
/// instead, since nobody can tell how long the thread will take.
class SimulatedPoller;

/// `faults` stands before it as before a system, if given, and has to outlive it.
std::unique_ptr<Backend> make_simulated_backend(std::uint64_t seed, FaultLayer* faults = nullptr);

/// What can be asked of a simulated network; see testing::SimulatedNetwork, which checks arguments.
class SimulatedConditions {
 public:
  static constexpr const char* kAnybody = "*";

  virtual ~SimulatedConditions() = default;

  virtual void set_latency(std::chrono::nanoseconds least,
                           std::chrono::nanoseconds most) noexcept = 0;
  virtual void set_slices(bool on) noexcept = 0;
  virtual void set_resets(unsigned one_in) noexcept = 0;
  virtual void set_losses(unsigned one_in) noexcept = 0;
  /// Between two hosts; with an empty `other`, between `host` and everybody else; with kAnybody,
  /// also between `host` and those who have no address of their own.
  virtual void cut(const std::string& host, const std::string& other) = 0;
  /// Mends all cuts.
  virtual void heal() noexcept = 0;
  /// Returns how many connections of `host` were reset.
  virtual std::size_t reset_connections(const std::string& host) noexcept = 0;
  /// What `name` resolves to, instead of what it did before.
  virtual void set_host(const std::string& name, std::vector<std::string> addresses) = 0;
  /// Null for a name that is not known.
  virtual const std::vector<std::string>* addresses_of(const std::string& name) const noexcept = 0;
  virtual std::size_t count_sockets() const noexcept = 0;
};

/// The network of `loop`; null if it is not simulated.
SimulatedConditions* simulated_conditions(Loop& loop) noexcept;

/// Lets the virtual clock of the loop running in this thread pass `amount`, as blocking code
/// would. Returns false if that loop is not simulated.
bool advance_simulated_clock(Delay amount);

}  // namespace asyncio::detail
