// SPDX-License-Identifier: BSL-1.0
/// `vectordb serve` in a process of its own.
#pragma once

#include <asyncio/coro.hpp>
#include <asyncio/subprocess.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace bench {

class Served {
 public:
  /// Starts the program and waits until it has read its data.
  static asyncio::Coro<Served> start(std::string program, std::string folder);

  /// "127.0.0.1:8000".
  const std::string& address() const noexcept { return address_; }
  /// Until /readyz said so.
  double ready_seconds() const noexcept { return ready_seconds_; }
  std::size_t resident_bytes() const;
  /// Of all its threads since it began, in seconds; in steps of 10 ms, as the kernel has it.
  double processor_time() const;
  asyncio::Coro<> stop() const;

 private:
  Served(asyncio::Process process, std::string address)
      : process_(std::move(process)), address_(std::move(address)) {}

  asyncio::Process process_;
  std::string address_;
  double ready_seconds_ = 0;
};

}  // namespace bench
