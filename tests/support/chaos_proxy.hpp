// SPDX-License-Identifier: BSL-1.0
/// CP: stands between a client and a server, one of which is a program of somebody else's, and does
/// to their connections what networks do. Linked with chaos_proxy.cpp.
#pragma once

#include "asyncio/server.hpp"
#include "asyncio/streams.hpp"
#include "seeds.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace test {

struct Climate;

/// What becomes of one connection. It carries bytes in both directions; the condition comes about
/// when so many have passed in one of them.
class Weather {
 public:
  enum class Condition : std::uint8_t {
    fair,         // nothing ever happens
    reset,        // both ends are reset
    truncated,    // both ends see the end of the stream
    half_closed,  // the receiver alone sees the end; the other direction goes on
    stalled,      // nothing passes any more
    refused,      // the connection ends before it reaches the server
    replied,      // both ends are reset, but the client has all that the server had to say
    count,
    corrupted = count  // a bit of a byte is another; only where the climate has it
  };

  Weather() = default;
  Weather(Random& random, const Climate& climate);

  Condition condition = Condition::fair;
  bool to_client = true;        // in which direction
  std::size_t after = 0;        // how many bytes
  std::size_t slice = 1 << 20;  // passes at most at once
  int slow_one_in = 0;          // slices, each of which takes a few milliseconds; 0 for none
  int delay = 0;                // of whatever comes, in milliseconds
  std::chrono::milliseconds quiet{};

  /// Whether anything will happen in this direction.
  bool strikes(bool client) const { return condition != Condition::fair && client == to_client; }
  std::string text() const;
};

/// What weather there may be.
struct Climate {
  /// Whether bytes may be changed. Only TLS can tell, so only there.
  bool corrupts = false;
  /// The condition of every connection, instead of a random one.
  std::optional<Weather::Condition> always = std::nullopt;
  /// After how many bytes it comes about: fewer than `most`, and than `soon` half of the times.
  int least = 0;
  int soon = 4'000;
  int most = 400'000;
  /// A server that says nothing for so long has said all, for Condition::replied.
  std::chrono::milliseconds quiet{30};
};

/// Listens on 127.0.0.1 for a server that does. No byte is doubled or put elsewhere, nor changed
/// unless the climate says so: a client gets what the server sent, up to where it says that the
/// rest is missing.
class ChaosProxy {
 public:
  /// The n-th connection has the weather that `seed` gives it.
  ChaosProxy(std::uint16_t server_port, std::uint64_t seed, Climate climate = {})
      : target_(server_port), random_(seed), climate_(climate) {}

  asyncio::Coro<> open();
  asyncio::Coro<> close();
  /// Ends all connections; those that come now pass as if there were no proxy.
  void calm();
  std::uint16_t port() const { return server_->sockets().at(0).port(); }
  /// What the connections go through.
  const std::string& log() const { return log_; }

 private:
  asyncio::Coro<> serve(asyncio::StreamReader reader, asyncio::StreamWriter writer);

  std::uint16_t target_;
  Random random_;
  Climate climate_;
  bool calm_ = false;
  std::optional<asyncio::Server> server_;
  std::string log_;
};

}  // namespace test
