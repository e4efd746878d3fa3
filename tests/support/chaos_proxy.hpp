// SPDX-License-Identifier: BSL-1.0
/// CP: stands between a client and a server, one of which is a program of somebody else's, and does
/// to their connections what networks do. Linked with chaos_proxy.cpp.
#pragma once

#include "asyncio/server.hpp"
#include "asyncio/streams.hpp"
#include "seeds.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace test {

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
    count
  };

  explicit Weather(Random& random);

  Condition condition;
  bool to_client;     // in which direction
  std::size_t after;  // how many bytes
  std::size_t slice;  // passes at most at once
  int slow_one_in;    // slices, each of which takes a few milliseconds; 0 for none

  /// Whether anything will happen in this direction.
  bool strikes(bool client) const { return condition != Condition::fair && client == to_client; }
  std::string text() const;
};

/// Listens on 127.0.0.1 for a server that does. No byte is changed, doubled or put elsewhere: a
/// client gets what the server sent, up to where it says that the rest is missing.
class ChaosProxy {
 public:
  /// The n-th connection has the weather that `seed` gives it.
  ChaosProxy(std::uint16_t server_port, std::uint64_t seed) : target_(server_port), random_(seed) {}

  asyncio::Coro<> open();
  asyncio::Coro<> close();
  std::uint16_t port() const { return server_->sockets().at(0).port(); }
  /// What the connections have gone through.
  const std::string& log() const { return log_; }

 private:
  asyncio::Coro<> serve(asyncio::StreamReader reader, asyncio::StreamWriter writer);

  std::uint16_t target_;
  Random random_;
  std::optional<asyncio::Server> server_;
  std::string log_;
};

}  // namespace test
