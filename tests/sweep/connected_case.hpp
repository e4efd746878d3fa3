// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "sweep_case.hpp"

#include <cstddef>
#include <optional>
#include <string>

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
  asyncio::StreamReader& far_reader() { return *peer_reader_; }
  std::optional<asyncio::Server> server_;
  asyncio::Event arrived_;
  std::optional<asyncio::StreamReader> reader_;
  std::optional<asyncio::StreamWriter> writer_;
  std::optional<asyncio::StreamReader> peer_reader_;
  std::optional<asyncio::StreamWriter> peer_writer_;
  const std::size_t too_much_ = too_much();
};

/// Writes too much to the other end of `Ends`, which reads it in the end.
template <class Ends>
class Drains final : public Ends {
 public:
  Coro<> prepare() override {
    co_await Ends::prepare();
    this->writer_->write(std::string(this->too_much_, 'x'));
  }
  Coro<> operation() override { co_await this->writer_->drain(); }
  void complete() override {
    if (!reading_) reading_.emplace(asyncio::create_task(read_all()));
  }
  Coro<> use_again() override {
    complete();
    std::string bytes = co_await *reading_;
    require(bytes == std::string(this->too_much_, 'x'), "bytes are lost or doubled");
    co_await this->writer_->drain();
  }

 private:
  Coro<std::string> read_all() {
    co_return co_await this->far_reader().readexactly(this->too_much_);
  }
  std::optional<asyncio::Task<std::string>> reading_;
};

}  // namespace sweep
