// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/transports.hpp"
#include "sweep_case.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sweep {

/// Until `condition` holds, or for some seconds. Returns whether it does.
template <class Condition>
Coro<bool> comes_true(Condition condition) {
  for (int patience = 0; !condition() && patience < 5'000; ++patience)
    co_await asyncio::sleep(std::chrono::milliseconds(1));
  co_return condition();
}

/// A protocol that knows the beginning, the end, and what came between.
template <class Base, class Transport>
class Told : public Base {
 public:
  void connection_made(std::shared_ptr<Transport>) override { made = true; }
  void connection_lost(std::exception_ptr) override { lost = true; }

  bool made = false;
  bool lost = false;
  std::string received;
};

class ToldBytes final : public Told<asyncio::Protocol, asyncio::Transport> {
 public:
  void data_received(std::string data) override { received += data; }
};

class ToldDatagrams final : public Told<asyncio::DatagramProtocol, asyncio::DatagramTransport> {
 public:
  void datagram_received(std::string data, const asyncio::SocketAddress&) override {
    received += data;
  }
};

class ToldOutput final : public Told<asyncio::SubprocessProtocol, asyncio::SubprocessTransport> {
 public:
  void pipe_data_received(int, std::string data) override { received += data; }
};

/// The protocols that were made for one case.
template <class P>
class Protocols {
 public:
  std::shared_ptr<P> make() {
    all_.push_back(std::make_shared<P>());
    return all_.back();
  }

  std::shared_ptr<P> last() const { return all_.back(); }

  /// Of a transport that nobody has, a protocol that has seen the beginning sees the end.
  Coro<> require_lost() const {
    auto over = [this] {
      for (const auto& protocol : all_)
        if (protocol->made && !protocol->lost) return false;
      return true;
    };
    bool are_over = co_await comes_true(over);
    require(are_over, "a transport that nobody has is open");
  }

 private:
  std::vector<std::shared_ptr<P>> all_;
};

}  // namespace sweep
