// SPDX-License-Identifier: BSL-1.0
/// StreamReaderProtocol: the step from transports to streams.
#pragma once

#include "asyncio/protocols.hpp"
#include "asyncio/streams.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <string>

namespace asyncio {

namespace detail {
class TransportReader;
}

/// Gives what a transport receives to a StreamReader, for who has a transport and wants streams:
///
///     auto [transport, protocol] = co_await loop.create_connection(
///         [] { return std::make_shared<StreamReaderProtocol>(); }, "127.0.0.1", 80);
///     StreamReader reader = protocol->reader();
///
/// open_connection is shorter and faster, and start_server as well. More than twice the limit is
/// not received before somebody reads.
///
/// Thread   the loop's.
/// asyncio  Transports and Protocols, StreamReaderProtocol
class StreamReaderProtocol : public Protocol {
 public:
  /// Throws   ValueError if `limit` is 0; RuntimeError if there is no event loop.
  explicit StreamReaderProtocol(std::size_t limit = kDefaultLimit);
  ~StreamReaderProtocol() override;

  /// For lines up to the limit.
  StreamReader reader() const;
  /// Throws   RuntimeError before connection_made; TypeError for a transport of somebody else's.
  StreamWriter writer() const;

  void connection_made(std::shared_ptr<Transport> transport) override;
  void data_received(std::string data) override;
  /// The connection stays open for writing, but not over TLS.
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;

 private:
  detail::Ref<detail::TransportReader> reader_;
  detail::Ref<detail::Connection> connection_;  // of a transport of the library's own
  bool made_ = false;
};

}  // namespace asyncio
