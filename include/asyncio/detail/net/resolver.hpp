// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/detail/backend/backend.hpp"
#include "asyncio/detail/core/wait.hpp"
#include "asyncio/dns.hpp"

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::detail {

/// What getnameinfo answers.
class HostAndService {
 public:
  std::string host;
  std::string service;
};

/// What getaddrinfo answers about a service: types and protocols of sockets.
class SocketKinds {
 public:
  SocketKinds(std::string name, int its_type, int its_proto, bool is_numeric)
      : service(std::move(name)), type(its_type), proto(its_proto), numeric(is_numeric) {}

  std::string service;
  int type;
  int proto;
  bool numeric;  // no name is looked up
  std::vector<std::pair<int, int>> found;
  std::uint16_t port = 0;
};

/// A name to resolve. An empty host means the loopback addresses, or with AI_PASSIVE all
/// interfaces.
class ResolveRequest {
 public:
  ResolveRequest(std::string name, std::uint16_t number) : host(std::move(name)), port(number) {}

  bool accepts(const SocketAddress& found) const noexcept {
    return family == AddressFamily::unspecified || family == found.family();
  }

  std::string host;
  std::uint16_t port;
  AddressFamily family = AddressFamily::unspecified;
  int flags = 0;
  /// Not a name, but this address, whose names go here; `flags` are NI_... then.
  std::shared_ptr<HostAndService> names;
  SocketAddress address;
  /// Not a name, but a service, which for `host` is to be found out about.
  std::shared_ptr<SocketKinds> kinds;
  /// With AI_CANONNAME: where the host's own name goes.
  std::shared_ptr<std::string> canonname;
};

class ResolveJob;

/// The addresses of a name, from the loop's resolver.
Coro<std::vector<SocketAddress>> resolve(Backend& backend, ResolveRequest request);

/// The port of a service that is no number, for streams; `host` is whose it is, for the error.
Coro<std::uint16_t> look_up_port(Backend& backend, std::string host, ServicePort service);

/// Asks the system, which waits unless the service is numeric. Throws GaiError.
void look_up_kinds(const ResolveRequest& request);

/// The answer, if it takes no resolver, else empty. Throws GaiError, ValueError for what cannot be
/// a host name.
std::vector<SocketAddress> resolve_without_names(const ResolveRequest& request);

/// Awaits the system's answer: at once for a numeric address, else by getaddrinfo on a thread of
/// the loop's own. A cancelled wait ends at once; the answer that comes later is dropped.
///
/// Throws GaiError, ValueError for what cannot be a host name.
class [[nodiscard("co_await it")]] Resolve final : public Wait {
 public:
  Resolve(Backend& backend, ResolveRequest request);
  ~Resolve();

  bool await_ready();
  void await_suspend(PromiseBase& promise);
  std::vector<SocketAddress> await_resume();
  bool cancel(const std::exception_ptr& reason) override;
  AwaitableKind kind() const noexcept override { return AwaitableKind::resolve; }

  /// The answer is there.
  void finish(std::vector<SocketAddress> addresses, std::exception_ptr error) noexcept;

 private:
  enum class State : unsigned char { idle, pending, done, cancelled };

  Backend& backend_;
  ResolveRequest request_;
  std::shared_ptr<ResolveJob> job_;
  std::vector<SocketAddress> addresses_;
  std::exception_ptr error_;
  State state_ = State::idle;
};

}  // namespace asyncio::detail
