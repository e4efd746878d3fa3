// SPDX-License-Identifier: BSL-1.0
/// Name resolution: its errors, and resolvers of your own.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/exceptions.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

/// A port, by its number or by the name of its service: 80, "80", "http".
class ServicePort {
 public:
  /// Throws   ValueError unless it is 0 to 65535.
  template <std::integral T>
  ServicePort(T port) : text_(checked(static_cast<std::int64_t>(port))) {}
  template <std::convertible_to<std::string_view> T>
  ServicePort(T&& name) : text_(std::string_view(name)) {}

  const std::string& text() const noexcept { return text_; }
  /// nullopt for a name, which the system has to look up.
  std::optional<std::uint16_t> number() const noexcept;

 private:
  static std::string checked(std::int64_t port);

  std::string text_;
};

/// What EventLoop::getaddrinfo is asked for.
class AddressInfoOptions {
 public:
  AddressInfoOptions() {}

  AddressInfoOptions& family(AddressFamily family) {
    family_ = family;
    return *this;
  }
  /// SOCK_STREAM, SOCK_DGRAM, ...; all by default.
  AddressInfoOptions& type(int type) {
    type_ = type;
    return *this;
  }
  /// IPPROTO_TCP, ...; all by default.
  AddressInfoOptions& proto(int number) {
    proto_ = number;
    return *this;
  }
  /// AI_....
  AddressInfoOptions& flags(int flags) {
    flags_ = flags;
    return *this;
  }

  AddressFamily get_family() const noexcept { return family_; }
  int get_type() const noexcept { return type_; }
  int get_proto() const noexcept { return proto_; }
  int get_flags() const noexcept { return flags_; }

 private:
  AddressFamily family_ = AddressFamily::unspecified;
  int type_ = 0;
  int proto_ = 0;
  int flags_ = 0;
};

/// One answer of EventLoop::getaddrinfo: `auto [family, type, proto, canonname, sockaddr] = ...`.
/// Python: the tuples of socket.getaddrinfo.
class AddressInfo {
 public:
  AddressFamily family;
  int type;   // SOCK_STREAM, ...
  int proto;  // IPPROTO_TCP, ...
  /// With AI_CANONNAME, in the first answer alone: the host's own name.
  std::string canonname;
  SocketAddress sockaddr;

  friend bool operator==(const AddressInfo&, const AddressInfo&) = default;
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
/// Numeric addresses and empty names do not get here, nor what cannot be a host name; names of
/// services come as their numbers.
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
