// SPDX-License-Identifier: BSL-1.0
/// The network of a simulated loop: how slow it is, and what breaks.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/time.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {
class SimulatedConditions;
}

namespace asyncio::testing {

/// What is between the hosts of a simulated loop. Hosts are IP addresses: a server's is the one it
/// listens on, a client's the one of its `local_addr`, or else its server's.
///
///     testing::Network network;  // of the running loop
///     network.latency(5ms, 80ms).slices(true).resets(1000);
///     network.partition("10.0.0.1", "10.0.0.2");
///
/// At the beginning everything arrives with the loop's next iteration, whole. What the conditions
/// leave open is decided by the loop's seed; the same program with the same seed sees the same.
/// Connections over Unix sockets are sliced and reset as well, but are on one host: they take no
/// time and cannot be cut.
///
/// Datagrams (UDP) are whole or lost, and overtake each other as the latency varies. They are lost
/// across a cut, and at a receiver that keeps 208 KiB unread. Where nobody receives, a connected
/// sender gets ECONNREFUSED. There is no broadcast.
///
/// Thread   the loop's.
class Network {
 public:
  /// The running loop's.
  ///
  /// Throws   RuntimeError if no loop runs or it is not simulated.
  Network();

  /// What is sent takes `least` to `most`, in order; a connection takes that twice.
  ///
  /// Throws   ValueError if one is negative or `most` is less than `least`.
  Network& latency(Delay least, Delay most);
  Network& latency(Delay always) { return latency(always, always); }
  /// Whether reads and writes transfer a part of what they could, at least a byte.
  Network& slices(bool on);
  /// One in so many sends resets its connection instead; 0 for none.
  Network& resets(unsigned one_in);

  /// One in so many datagrams is lost; 0 for none.
  Network& losses(unsigned one_in);

  /// From now on nothing arrives from one host at the other. Connections stay, and what is sent
  /// waits as TCP repeats it; new ones are not answered.
  ///
  /// Throws   ValueError if a host is not an IP address.
  void partition(std::string_view host, std::string_view other);
  /// The same between `host` and every other host.
  void isolate(std::string_view host);
  /// The same between `host` and everybody, clients without a `local_addr` among them.
  void black_hole(std::string_view host);
  /// Ends all partitions. What waits arrives after the longest latency.
  void heal();
  /// Breaks the connections of `host`: both ends get ECONNRESET, and what was on its way is lost.
  ///
  /// Returns  how many there were.
  /// Throws   ValueError if `host` is not an IP address.
  std::size_t reset(std::string_view host);

  /// What a name resolves to from now on, in the order in which connections are tried. Without
  /// addresses it does not exist. At the beginning there is "localhost"; other names are the
  /// system's.
  ///
  /// Throws   ValueError if an address is not an IP address.
  void host(std::string_view name, const std::vector<std::string>& addresses);
  /// How many sockets there are now: listeners, both ends of connections, and what is to become a
  /// connection. The same before and after, and nobody has forgotten to close one.
  std::size_t sockets() const noexcept;

 private:
  EventLoop loop_;
  asyncio::detail::SimulatedConditions* conditions_;
};

}  // namespace asyncio::testing
