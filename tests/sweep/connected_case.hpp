// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sweep_case.hpp"

#include <cstddef>
#include <optional>

namespace sweep {

/// More than the way to a peer that reads nothing holds.
inline std::size_t too_much() { return simulated() ? 1 << 20 : 16 << 20; }

/// A connection with both of its ends.
class Connected : public Case {
 public:
  Coro<> prepare() override {
    auto handler = [this](asyncio::StreamReader reader, asyncio::StreamWriter writer) {
      peer_reader_ = reader;
      peer_writer_ = writer;
      arrived_.set();
    };
    server_ = co_await asyncio::start_server(handler, "127.0.0.1", 0);
    auto ends = co_await asyncio::open_connection("127.0.0.1", server_->sockets().front().port());
    reader_ = ends.first;
    writer_ = ends.second;
    co_await arrived_.wait();
  }

 protected:
  std::optional<asyncio::Server> server_;
  asyncio::Event arrived_;
  std::optional<asyncio::StreamReader> reader_;
  std::optional<asyncio::StreamWriter> writer_;
  std::optional<asyncio::StreamReader> peer_reader_;
  std::optional<asyncio::StreamWriter> peer_writer_;
  const std::size_t too_much_ = too_much();
};

}  // namespace sweep
