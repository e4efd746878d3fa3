// SPDX-License-Identifier: BSL-1.0
/// The chapter "Transports and Protocols" of asyncio's documentation: protocols.
#pragma once

#include "asyncio/address.hpp"

#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>

namespace asyncio {

class Transport;
class DatagramTransport;
class SubprocessTransport;

/// What a transport calls. Every member is called by the loop, and none of them awaits. What one
/// throws goes to the loop's exception handler, and the transport is closed.
///
/// Thread   the loop's.
/// asyncio  Transports and Protocols, Base Protocol
class BaseProtocol {
 public:
  virtual ~BaseProtocol() = default;

  /// The end: `error` is null if the transport was closed, or the peer closed it. Called once.
  virtual void connection_lost(std::exception_ptr error) { (void)error; }
  /// The transport keeps more than the high-water mark, and then no more than the low one.
  virtual void pause_writing() {}
  virtual void resume_writing() {}
};

/// What the protocols of connections and pipes have in common.
class StreamProtocol : public BaseProtocol {
 public:
  /// The first call. The transport lives until connection_lost, or longer if it is kept.
  virtual void connection_made(std::shared_ptr<Transport> transport) { (void)transport; }
  /// The peer sends no more. False, the default, closes the transport.
  virtual bool eof_received() { return false; }
};

/// Receives bytes as they come, in pieces of any size.
///
/// asyncio  Transports and Protocols, Streaming Protocols
class Protocol : public StreamProtocol {
 public:
  virtual void data_received(std::string data) { (void)data; }
};

/// Receives bytes in memory of its own.
///
/// asyncio  Transports and Protocols, Buffered Streaming Protocols
class BufferedProtocol : public StreamProtocol {
 public:
  /// Room for the next bytes, one at least; it has to stay until `buffer_updated`.
  virtual std::span<char> get_buffer(std::size_t size_hint) = 0;
  /// So many bytes are there.
  virtual void buffer_updated(std::size_t count) = 0;
};

/// asyncio  Transports and Protocols, Datagram Protocols
class DatagramProtocol : public BaseProtocol {
 public:
  virtual void connection_made(std::shared_ptr<DatagramTransport> transport) { (void)transport; }
  virtual void datagram_received(std::string data, const SocketAddress& sender) {
    (void)data;
    (void)sender;
  }
  /// A send or receive has failed with an OSError; the transport goes on.
  virtual void error_received(std::exception_ptr error) { (void)error; }
};

/// asyncio  Transports and Protocols, Subprocess Protocols
class SubprocessProtocol : public BaseProtocol {
 public:
  virtual void connection_made(std::shared_ptr<SubprocessTransport> transport) { (void)transport; }
  /// `fd` is 1 or 2.
  virtual void pipe_data_received(int fd, std::string data) {
    (void)fd;
    (void)data;
  }
  virtual void pipe_connection_lost(int fd, std::exception_ptr error) {
    (void)fd;
    (void)error;
  }
  virtual void process_exited() {}
};

}  // namespace asyncio
