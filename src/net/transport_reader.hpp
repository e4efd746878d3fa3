// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/connection.hpp"
#include "asyncio/detail/net/reader_state.hpp"
#include "asyncio/transports.hpp"

#include <memory>
#include <string_view>

namespace asyncio::detail {

/// A reader that is fed: by hand, or by a StreamReaderProtocol, whose transport is paused while
/// enough lies here, and resumed by a read that has to wait. CPython: the flow control of
/// StreamReader.
class TransportReader final : public ReaderState {
 public:
  using ReaderState::ReaderState;

  bool fill(ReadWait& reader) override {
    (void)reader;
    if (paused_) {
      paused_ = false;
      if (auto transport = current()) transport->resume_reading();
    }
    return false;
  }
  void take(std::string_view data) {
    feed_data(data);
    if (paused_ || waiter() || buffer().size() <= 2 * limit()) return;
    paused_ = true;
    if (auto transport = current()) transport->pause_reading();
  }

  /// Of the library's own, which start_tls may have replaced by another one; else null,
  Ref<Connection> connection;
  /// and this is somebody else's.
  std::shared_ptr<Transport> foreign;

 private:
  std::shared_ptr<Transport> current() const {
    return connection ? connection->transport() : foreign;
  }

  bool paused_ = false;  // by this, not by somebody who has the transport
};

}  // namespace asyncio::detail
