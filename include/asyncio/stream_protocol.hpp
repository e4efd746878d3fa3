// SPDX-License-Identifier: BSL-1.0
/// StreamReaderProtocol: the step from transports to streams.
#pragma once

#include "asyncio/protocols.hpp"
#include "asyncio/server.hpp"
#include "asyncio/streams.hpp"

#include <concepts>
#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

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
/// or a server of protocols some of whose connections are to have streams:
///
///     auto factory = [] {
///       return std::make_shared<StreamReaderProtocol>(StreamReader(), handler);
///     };
///     Server server = co_await loop.create_server(factory, "", 80);
///
/// open_connection is shorter and faster, and start_server as well. More than twice the limit of
/// the reader is not received before somebody reads. The connection stays open until the writer or
/// the transport is closed, also when nobody has the streams any more. TLS begins by
/// loop.start_tls.
///
/// Thread   the loop's.
/// asyncio  Transports and Protocols, StreamReaderProtocol
class StreamReaderProtocol : public Protocol {
 public:
  /// Feeds `reader`, which serves one connection.
  ///
  /// Throws   TypeError for the reader of a connection; RuntimeError if there is no event loop.
  explicit StreamReaderProtocol(StreamReader reader = StreamReader());
  /// Calls `client_connected_cb(StreamReader, StreamWriter)` at connection_made, as start_server
  /// does: if that returns a Coro, the call becomes a task, which may throw.
  template <class F>
    requires(!std::same_as<std::decay_t<F>, std::shared_ptr<detail::StreamsHandler>>)
  StreamReaderProtocol(StreamReader reader, F&& client_connected_cb)
      : StreamReaderProtocol(std::move(reader),
                             detail::client_handler(std::forward<F>(client_connected_cb))) {}
  ~StreamReaderProtocol() override;

  StreamReader reader() const;
  /// Throws   RuntimeError before connection_made; TypeError for a transport of somebody else's.
  StreamWriter writer() const;

  void connection_made(std::shared_ptr<Transport> transport) override;
  void data_received(std::string data) override;
  /// The connection stays open for writing, but not over TLS.
  bool eof_received() override;
  void connection_lost(std::exception_ptr error) override;

 private:
  StreamReaderProtocol(StreamReader reader, std::shared_ptr<detail::StreamsHandler> handler);

  detail::Ref<detail::TransportReader> reader_;
  std::shared_ptr<detail::StreamsHandler> handler_;
  bool made_ = false;
};

}  // namespace asyncio
