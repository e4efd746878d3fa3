// SPDX-License-Identifier: BSL-1.0
// CPython: asyncio/streams.py, StreamReaderProtocol, and the flow control of StreamReader.
#include "asyncio/stream_protocol.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/transports.hpp"
#include "connection_transport.hpp"

#include <utility>

namespace asyncio {

namespace detail {

/// What is read here comes through data_received of a transport, which is paused while enough of it
/// lies here, and resumed by a read that has to wait.
class TransportReader final : public ReaderState {
 public:
  using ReaderState::ReaderState;

  bool fill(ReadWait& reader) override {
    (void)reader;
    if (transport) transport->resume_reading();
    return false;
  }
  void take(std::string_view data) {
    feed_data(data);
    if (!waiter() && buffer().size() > 2 * limit()) transport->pause_reading();
  }

  std::shared_ptr<Transport> transport;
};

}  // namespace detail

StreamReaderProtocol::StreamReaderProtocol(std::size_t limit)
    : reader_(detail::Ref<detail::TransportReader>::adopt(
          new detail::TransportReader(get_event_loop().impl(), limit))) {}

StreamReaderProtocol::~StreamReaderProtocol() = default;

StreamReader StreamReaderProtocol::reader() const { return StreamReader(reader_); }

StreamWriter StreamReaderProtocol::writer() const {
  if (connection_) return StreamWriter(connection_);
  if (!made_) throw RuntimeError("there is no transport before connection_made()");
  throw TypeError("a StreamWriter needs a transport of the library's own");
}

void StreamReaderProtocol::connection_made(std::shared_ptr<Transport> transport) {
  made_ = true;
  if (const auto* own = detail::own_connection(*transport)) connection_ = *own;
  reader_->transport = std::move(transport);
}

void StreamReaderProtocol::data_received(std::string data) { reader_->take(data); }

bool StreamReaderProtocol::eof_received() {
  reader_->feed_eof();
  return !reader_->transport->ssl_object();
}

void StreamReaderProtocol::connection_lost(std::exception_ptr error) {
  if (error)
    reader_->set_exception(std::move(error));
  else
    reader_->feed_eof();
  reader_->transport.reset();
}

}  // namespace asyncio
