// SPDX-License-Identifier: BSL-1.0
/// Protocols for tests of transports.
#pragma once

#include "asyncio/protocols.hpp"
#include "asyncio/sync.hpp"
#include "asyncio/transports.hpp"

#include <array>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace test {

using asyncio::BufferedProtocol;
using asyncio::Coro;
using asyncio::Event;
using asyncio::Protocol;
using asyncio::Transport;

/// Notes what it is called.
template <class Base>
class Noted : public Base {
 public:
  void connection_made(std::shared_ptr<Transport> its_transport) override {
    events.push_back("made");
    transport = std::move(its_transport);
  }
  bool eof_received() override {
    events.push_back("eof");
    return keep_open;
  }
  void connection_lost(std::exception_ptr error) override {
    events.push_back("lost " + asyncio::describe_exception(error));
    transport.reset();
    lost.set();
  }
  void pause_writing() override { events.push_back("pause"); }
  void resume_writing() override { events.push_back("resume"); }

  std::vector<std::string> events;
  std::shared_ptr<Transport> transport;
  bool keep_open = false;
  Event lost;
  std::string received;
  Event arrived;
};

class Client : public Noted<Protocol> {
 public:
  void data_received(std::string data) override {
    received += data;
    arrived.set();
  }
  /// Waits for so many bytes.
  Coro<std::string> bytes(std::size_t count) {
    while (received.size() < count) {
      arrived.clear();
      co_await arrived.wait();
    }
    co_return received;
  }
};

class Buffered : public Noted<BufferedProtocol> {
 public:
  std::span<char> get_buffer(std::size_t) override { return room_; }
  void buffer_updated(std::size_t count) override {
    received.append(room_.data(), count);
    arrived.set();
  }

 private:
  std::array<char, 100> room_{};
};

class EchoProtocol : public Protocol {
 public:
  void connection_made(std::shared_ptr<Transport> transport) override {
    transport_ = std::move(transport);
  }
  void data_received(std::string data) override { transport_->write(std::move(data)); }
  void connection_lost(std::exception_ptr) override { transport_.reset(); }

 private:
  std::shared_ptr<Transport> transport_;
};

template <class P>
std::shared_ptr<P> made() {
  return std::make_shared<P>();
}

}  // namespace test
