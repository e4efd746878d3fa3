// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/backend/simulated.hpp"
#include "asyncio/detail/core/seeded_random.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// What is between the hosts of a simulated network: how long it takes from one to another, and
/// whether there is a way at all. Hosts are IP addresses; a Unix socket has none, and its bytes
/// take no time.
class SimulatedWire : public SimulatedConditions {
 public:
  void set_latency(std::chrono::nanoseconds least, std::chrono::nanoseconds most) noexcept override;
  void set_slices(bool on) noexcept override { slices_ = on; }
  void set_resets(unsigned one_in) noexcept override { one_in_ = one_in; }
  void set_losses(unsigned one_in) noexcept override { losses_ = one_in; }
  void cut(const std::string& host, const std::string& other) override;
  void set_host(const std::string& name, std::vector<std::string> addresses) override;
  const std::vector<std::string>* addresses_of(const std::string& name) const noexcept override;

 protected:
  explicit SimulatedWire(std::uint64_t seed) : random_(seed) {}

  SeededRandom& random() noexcept { return random_; }
  bool instant() const noexcept { return most_.count() == 0; }
  std::chrono::nanoseconds most() const noexcept { return most_; }
  /// The time that the next piece takes.
  std::chrono::nanoseconds delay() noexcept;
  /// How many of `size` bytes a call takes at once.
  std::size_t slice(std::size_t size) noexcept;
  /// Whether the next piece breaks its connection instead.
  bool breaks() noexcept { return one_in_ != 0 && random_.below(one_in_) == 0; }
  /// Whether the next datagram does not arrive.
  bool loses() noexcept { return losses_ != 0 && random_.below(losses_) == 0; }
  /// Whether nothing arrives from one at the other. Equal hosts are one, or have no address.
  bool is_cut(const std::string& host, const std::string& other) const noexcept;
  bool any_cuts() const noexcept { return !cuts_.empty(); }
  void mend() noexcept { cuts_.clear(); }

 private:
  SeededRandom random_;
  std::chrono::nanoseconds least_{0};
  std::chrono::nanoseconds most_{0};
  bool slices_ = false;
  unsigned one_in_ = 0;
  unsigned losses_ = 0;
  std::vector<std::pair<std::string, std::string>> cuts_;
  std::map<std::string, std::vector<std::string>> hosts_{{"localhost", {"127.0.0.1"}}};
};

}  // namespace asyncio::detail
