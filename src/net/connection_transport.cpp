// SPDX-License-Identifier: BSL-1.0
// What transports of connections have in common, and the one of streams.
#include "connection_transport.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/streams.hpp"

#include <memory>

namespace asyncio {

namespace detail {

void ConnectionTransport::close() { connection_->close(); }
void ConnectionTransport::abort() { connection_->abort(); }
bool ConnectionTransport::is_closing() const noexcept { return connection_->closing(); }

std::optional<std::string> ConnectionTransport::get_extra_info(std::string_view name) const {
  return StreamWriter(connection_).get_extra_info(name);
}

std::optional<TlsInfo> ConnectionTransport::ssl_object() const {
  return StreamWriter(connection_).ssl_object();
}

std::optional<TlsContext> ConnectionTransport::sslcontext() const {
  return StreamWriter(connection_).sslcontext();
}

std::optional<TransportSocket> ConnectionTransport::socket() const {
  if (connection_->medium() != Medium::socket) return std::nullopt;
  // This one, or the one that start_tls has put into its place.
  auto own = std::static_pointer_cast<const ConnectionTransport>(connection_->transport());
  if (!own) return std::nullopt;
  return TransportSocket(std::move(own));
}

int ConnectionTransport::fileno() const noexcept { return connection_->fileno(); }

void ConnectionTransport::write(std::string_view data) {
  check_not_retired();
  connection_->write(data);
}

void ConnectionTransport::write(std::string&& data) {
  check_not_retired();
  connection_->write(std::move(data));
}

void ConnectionTransport::write_pieces(std::span<const std::string_view> pieces) {
  check_not_retired();
  connection_->write_all(pieces);
}

void ConnectionTransport::write_eof() {
  check_not_retired();
  connection_->write_eof();
}

bool ConnectionTransport::can_write_eof() const noexcept {
  return StreamWriter(connection_).can_write_eof();
}

std::size_t ConnectionTransport::get_write_buffer_size() const noexcept {
  return connection_->queued();
}

std::pair<std::size_t, std::size_t> ConnectionTransport::get_write_buffer_limits() const noexcept {
  return {connection_->low_water(), connection_->high_water()};
}

void ConnectionTransport::set_write_buffer_limits(std::optional<std::ptrdiff_t> high,
                                                  std::optional<std::ptrdiff_t> low) {
  connection_->set_limits(high, low);
}

void ConnectionTransport::check_not_retired() const {
  if (retired_) throw RuntimeError("start_tls() has replaced this transport by another one");
}

const Ref<Connection>* own_connection(const Transport& transport) {
  const auto* own = dynamic_cast<const ConnectionTransport*>(&transport);
  if (!own) return nullptr;
  own->check_not_retired();
  return &own->connection();
}

namespace {

/// Of a connection whose bytes go to a StreamReader. Nobody has one who does not ask for it.
class StreamsTransport final : public ConnectionTransport {
 public:
  explicit StreamsTransport(Ref<Connection> connection) noexcept
      : ConnectionTransport(std::move(connection)) {}

  void set_protocol(std::shared_ptr<BaseProtocol>) override {
    throw RuntimeError("the transport of streams has no protocol; use loop.create_connection()");
  }
  std::shared_ptr<BaseProtocol> get_protocol() const override { return nullptr; }

  bool is_reading() const noexcept override {
    return reads() && !is_closing() && !connection_->reading_paused();
  }
  void pause_reading() override {
    if (reads()) connection_->pause_reading();
  }
  void resume_reading() override { connection_->resume_reading(); }

 private:
  bool reads() const noexcept {
    return connection_->medium() == Medium::socket || connection_->medium() == Medium::read_pipe;
  }
};

}  // namespace

}  // namespace detail

std::shared_ptr<Transport> StreamWriter::transport() const {
  std::shared_ptr<Transport> transport = connection_->transport();
  if (!transport) {
    transport = std::make_shared<detail::StreamsTransport>(connection_);
    connection_->set_transport(transport);
  }
  return transport;
}

std::optional<TransportSocket> StreamWriter::socket() const { return transport()->socket(); }

}  // namespace asyncio
