// SPDX-License-Identifier: BSL-1.0
// CPython: asyncio/streams.py, StreamReaderProtocol.
#include "asyncio/stream_protocol.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/transports.hpp"
#include "connection_transport.hpp"
#include "transport_reader.hpp"

#include <utility>

namespace asyncio {

namespace {

detail::TransportReader& fed(const StreamReader& reader) {
  auto* state = dynamic_cast<detail::TransportReader*>(reader.state().get());
  if (!state) throw TypeError("a StreamReaderProtocol cannot feed the reader of a connection");
  return *state;
}

}  // namespace

StreamReaderProtocol::StreamReaderProtocol(StreamReader reader)
    : StreamReaderProtocol(std::move(reader), std::shared_ptr<detail::StreamsHandler>()) {}

StreamReaderProtocol::StreamReaderProtocol(StreamReader reader,
                                           std::shared_ptr<detail::StreamsHandler> handler)
    : reader_(detail::Ref<detail::TransportReader>::share(&fed(reader))),
      handler_(std::move(handler)) {}

StreamReaderProtocol::~StreamReaderProtocol() = default;

StreamReader StreamReaderProtocol::reader() const { return StreamReader(reader_); }

StreamWriter StreamReaderProtocol::writer() const {
  if (reader_->connection) return StreamWriter(reader_->connection);
  if (!made_) throw RuntimeError("there is no transport before connection_made()");
  throw TypeError("a StreamWriter needs a transport of the library's own");
}

void StreamReaderProtocol::connection_made(std::shared_ptr<Transport> transport) {
  if (reader_->connection || reader_->foreign) throw RuntimeError("Transport already set");
  made_ = true;
  if (const auto* own = detail::own_connection(*transport))
    reader_->connection = *own;
  else
    reader_->foreign = std::move(transport);
  if (handler_) std::exchange(handler_, nullptr)->serve(reader(), writer());
}

void StreamReaderProtocol::data_received(std::string data) { reader_->take(data); }

bool StreamReaderProtocol::eof_received() {
  reader_->feed_eof();
  if (reader_->connection) return !reader_->connection->tls();
  return !reader_->foreign || !reader_->foreign->ssl_object();
}

void StreamReaderProtocol::connection_lost(std::exception_ptr error) {
  if (error)
    reader_->set_exception(std::move(error));
  else
    reader_->feed_eof();
  reader_->foreign.reset();
}

}  // namespace asyncio
