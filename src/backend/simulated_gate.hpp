// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "simulated_network.hpp"
#include "system_gate.hpp"

#include <cstdint>

namespace asyncio::detail {

/// The simulated network behind the gate that the system's calls pass, for the same faults.
class SimulatedGate : public SimulatedNetwork {
 public:
  int socket(int family, int type, int protocol) noexcept override;
  int bind(int fd, const sockaddr* address, std::uint32_t size) noexcept override;
  int listen(int fd, int backlog) noexcept override;
  int setsockopt(int fd, int level, int name, const void* value,
                 std::uint32_t size) noexcept override;
  int getsockopt(int fd, int level, int name, void* value, std::uint32_t& size) noexcept override;
  int getsockname(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int getpeername(int fd, sockaddr* address, std::uint32_t& size) noexcept override;
  int shutdown(int fd, int how) noexcept override;
  int close_fd(int fd) noexcept override;

 protected:
  SimulatedGate(std::uint64_t seed, FaultLayer* faults)
      : SimulatedNetwork(seed, faults), gate_(faults) {}

  std::int64_t perform(Socket& socket, Operation& op) noexcept override;

 private:
  std::int64_t transfer(Socket& socket, Operation& op, std::size_t most) noexcept;

  SystemGate gate_;
};

}  // namespace asyncio::detail
