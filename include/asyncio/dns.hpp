// SPDX-License-Identifier: BSL-1.0
/// Name resolution: its errors, and resolvers of your own.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/exceptions.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace asyncio {

/// A name could not be resolved. `code()` is getaddrinfo's (EAI_NONAME, ...), `what()` names the
/// host. Python: socket.gaierror.
class GaiError : public OSError {
 public:
  GaiError(int eai_code, const std::string& host);

  const std::string& host() const noexcept { return host_; }

 private:
  std::string host_;
};

/// Answers names for a loop: see EventLoop::set_resolver. This one asks the system, on threads of
/// the loop's own; derive from it to answer some questions otherwise:
///
///     class Hosts : public Resolver {
///       Coro<std::vector<SocketAddress>> getaddrinfo(std::string host, std::uint16_t port,
///                                                    AddressFamily family, int flags) override {
///         if (host == "db") co_return std::vector{SocketAddress::numeric("10.0.0.7", port)};
///         co_return co_await Resolver::getaddrinfo(host, port, family, flags);
///       }
///     };
///
/// Numeric addresses and empty names do not get here, nor what cannot be a host name.
///
/// Thread   the loop's.
/// asyncio  Event Loop, DNS
class Resolver {
 public:
  virtual ~Resolver() = default;

  /// The addresses of a host, in the order in which they are to be tried. `flags` are AI_...; with
  /// AI_PASSIVE the address is to listen on. Addresses of another family than is asked for are
  /// dropped by the loop; if none is left, the caller gets a GaiError.
  ///
  /// Throws   what the caller is to get; GaiError for a name without an address.
  /// Cancel   whoever waits for the name was cancelled.
  virtual Coro<std::vector<SocketAddress>> getaddrinfo(std::string host, std::uint16_t port,
                                                       AddressFamily family, int flags);
  /// The names of a host and of its service; `flags` are NI_....
  virtual Coro<std::pair<std::string, std::string>> getnameinfo(SocketAddress address, int flags);
};

}  // namespace asyncio
