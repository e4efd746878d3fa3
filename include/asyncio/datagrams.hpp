// SPDX-License-Identifier: BSL-1.0
/// Options of create_datagram_endpoint.
#pragma once

#include "asyncio/address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace asyncio {

/// How create_datagram_endpoint makes its socket.
class DatagramOptions {
 public:
  /// A host to resolve and a port.
  using Name = std::pair<std::string, std::uint16_t>;

  DatagramOptions() {}

  /// The address to receive on; port 0 lets the system choose.
  DatagramOptions& local_addr(std::string host, std::uint16_t port) {
    local_name_.emplace(std::move(host), port);
    return *this;
  }
  DatagramOptions& local_addr(SocketAddress address) {
    local_ = std::move(address);
    return *this;
  }
  /// The address to send to, and the only one to receive from.
  DatagramOptions& remote_addr(std::string host, std::uint16_t port) {
    remote_name_.emplace(std::move(host), port);
    return *this;
  }
  DatagramOptions& remote_addr(SocketAddress address) {
    remote_ = std::move(address);
    return *this;
  }
  DatagramOptions& family(AddressFamily family) {
    family_ = family;
    return *this;
  }
  DatagramOptions& proto(int number) {
    proto_ = number;
    return *this;
  }
  /// AI_... flags for the names' resolution.
  DatagramOptions& flags(int ai_flags) {
    flags_ = ai_flags;
    return *this;
  }
  /// Several endpoints may have the address, and share its datagrams.
  DatagramOptions& reuse_port(bool enabled) {
    reuse_port_ = enabled;
    return *this;
  }
  DatagramOptions& allow_broadcast(bool enabled) {
    allow_broadcast_ = enabled;
    return *this;
  }
  /// A socket that somebody else made, which the transport closes from now on; no other option
  /// means something with it.
  DatagramOptions& sock(int fd) {
    sock_ = fd;
    return *this;
  }

  const std::optional<Name>& get_local_name() const noexcept { return local_name_; }
  const std::optional<Name>& get_remote_name() const noexcept { return remote_name_; }
  const std::optional<SocketAddress>& get_local() const noexcept { return local_; }
  const std::optional<SocketAddress>& get_remote() const noexcept { return remote_; }
  AddressFamily get_family() const noexcept { return family_; }
  int get_proto() const noexcept { return proto_; }
  int get_flags() const noexcept { return flags_; }
  bool get_reuse_port() const noexcept { return reuse_port_; }
  bool get_allow_broadcast() const noexcept { return allow_broadcast_; }
  const std::optional<int>& get_sock() const noexcept { return sock_; }

 private:
  std::optional<Name> local_name_;
  std::optional<Name> remote_name_;
  std::optional<SocketAddress> local_;
  std::optional<SocketAddress> remote_;
  AddressFamily family_ = AddressFamily::unspecified;
  int proto_ = 0;
  int flags_ = 0;
  bool reuse_port_ = false;
  bool allow_broadcast_ = false;
  std::optional<int> sock_;
};

}  // namespace asyncio
