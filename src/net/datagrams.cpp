// SPDX-License-Identifier: BSL-1.0
// The socket of create_datagram_endpoint. Order and messages follow asyncio/base_events.py.
#include "asyncio/datagrams.hpp"

#include "asyncio/detail/net/connect.hpp"
#include "asyncio/detail/net/operation_wait.hpp"
#include "asyncio/detail/net/resolver.hpp"
#include "asyncio/exceptions.hpp"
#include "owned_socket.hpp"
#include "sockaddr.hpp"

#include <cerrno>
#include <exception>
#include <netdb.h>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace asyncio::detail {

namespace {

using Addresses = std::vector<SocketAddress>;

Coro<Addresses> addresses_of(Backend& backend, const std::optional<DatagramOptions::Name>& name,
                             const std::optional<SocketAddress>& address,
                             const DatagramOptions& options, int flags) {
  Addresses found;
  if (address) found.push_back(*address);
  if (name) {
    ResolveRequest request(name->first, name->second);
    request.family = options.get_family();
    request.flags = options.get_flags() | flags;
    found = co_await resolve(backend, std::move(request));
  }
  co_return found;
}

/// What one socket is bound and connected to.
struct Ends {
  AddressFamily family;
  const SocketAddress* local;
  const SocketAddress* remote;
};

/// CPython: addr_pairs_info. The remote addresses, each with a local one of its family.
std::vector<Ends> pairs(const Addresses& local, const Addresses& remote,
                        const DatagramOptions& options) {
  std::vector<Ends> found;
  if (local.empty() && remote.empty()) {
    if (options.get_family() == AddressFamily::unspecified)
      throw ValueError("unexpected address family");
    found.push_back({options.get_family(), nullptr, nullptr});
  }
  for (const SocketAddress& to : remote) {
    if (local.empty()) found.push_back({to.family(), nullptr, &to});
    for (const SocketAddress& from : local)
      if (from.family() == to.family()) found.push_back({to.family(), &from, &to});
  }
  if (remote.empty())
    for (const SocketAddress& from : local) found.push_back({from.family(), &from, nullptr});
  if (found.empty()) throw ValueError("can not get address information");
  return found;
}

void set_option(Backend& backend, int fd, int name, const char* text) {
  int on = 1;
  int result = backend.setsockopt(fd, SOL_SOCKET, name, &on, sizeof on);
  if (result < 0) throw_os_error(-result, text);
}

Coro<DatagramSocket> open_on(Backend& backend, Ends ends, const DatagramOptions& options) {
  std::string where = ends.local ? ends.local->str() : ends.remote ? ends.remote->str() : "";
  int fd = backend.socket(system_family(ends.family), SOCK_DGRAM, options.get_proto());
  if (fd < 0) throw_os_error(-fd, "socket for datagrams " + where);
  DatagramSocket socket(backend, fd, std::nullopt);
  if (options.get_reuse_port()) set_option(backend, fd, SO_REUSEPORT, "setsockopt SO_REUSEPORT");
  if (options.get_allow_broadcast())
    set_option(backend, fd, SO_BROADCAST, "setsockopt SO_BROADCAST");
  if (ends.local) {
    RawAddress raw = SocketAddressAccess::to_raw(*ends.local);
    int bound = backend.bind(fd, raw.get(), raw.size);
    if (bound < 0) throw_os_error(-bound, "bind " + ends.local->str());
  }
  if (!ends.remote) co_return socket;
  socket.remote = *ends.remote;
  // A connected socket does not receive what comes from others, as answers to a broadcast.
  if (options.get_allow_broadcast()) co_return socket;
  RawAddress raw = SocketAddressAccess::to_raw(*ends.remote);
  OperationWait connect(backend, Opcode::connect, fd);
  connect.address = raw.get();
  connect.address_size = raw.size;
  std::int64_t result = co_await std::move(connect);
  if (result < 0) throw_os_error(static_cast<int>(-result), "connect " + ends.remote->str());
  co_return socket;
}

DatagramSocket adopted(Backend& backend, int fd) {
  int type = 0;
  std::uint32_t size = sizeof type;
  int got = backend.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, size);
  if (got < 0) throw_os_error(-got, "socket " + std::to_string(fd));
  if (type != SOCK_DGRAM)
    throw ValueError("A datagram socket was expected, got descriptor " + std::to_string(fd));
  backend.check_not_owned(fd);
  if (int error = backend.adopt(fd); error < 0)
    throw_os_error(-error, "descriptor " + std::to_string(fd));
  return DatagramSocket(backend, fd, std::nullopt);
}

}  // namespace

Coro<DatagramSocket> open_datagrams(Backend& backend, DatagramOptions options) {
  if (options.get_sock()) co_return adopted(backend, *options.get_sock());
  Addresses local = co_await addresses_of(backend, options.get_local_name(), options.get_local(),
                                          options, AI_PASSIVE);
  Addresses remote =
      co_await addresses_of(backend, options.get_remote_name(), options.get_remote(), options, 0);
  std::vector<Ends> all = pairs(local, remote, options);
  std::exception_ptr first;
  for (const Ends& ends : all) {
    try {
      DatagramSocket socket = co_await open_on(backend, ends, options);
      co_return socket;
    } catch (const OSError&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

}  // namespace asyncio::detail
