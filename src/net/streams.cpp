// SPDX-License-Identifier: BSL-1.0
#include "asyncio/streams.hpp"

#include "tls_layer.hpp"
#include "transport_reader.hpp"

namespace asyncio {

namespace {

/// "commonName=example.org", its parts separated by commas.
std::string subject_text(const PeerCertificate& certificate) {
  std::string text;
  for (const auto& [name, value] : certificate.subject)
    text += (text.empty() ? "" : ", ") + name + "=" + value;
  return text;
}

std::optional<std::string> tls_text(const TlsInfo& tls, std::string_view name) {
  if (name == "cipher")
    return tls.cipher + " " + tls.version + " " + std::to_string(tls.cipher_bits);
  if (name == "selected_alpn_protocol") return tls.selected_alpn_protocol;
  if (name == "peercert" && tls.peercert) return subject_text(*tls.peercert);
  return std::nullopt;
}

}  // namespace

StreamReader::StreamReader(std::size_t limit) : StreamReader(limit, get_event_loop()) {}

StreamReader::StreamReader(std::size_t limit, const EventLoop& loop)
    : state_(detail::Ref<detail::TransportReader>::adopt(
          new detail::TransportReader(loop.impl(), limit))) {}

std::optional<std::string> StreamWriter::get_extra_info(std::string_view name) const {
  if (name == "peername" && peername().family() != AddressFamily::unspecified)
    return peername().str();
  if (name == "sockname")
    if (auto address = sockname()) return address->str();
  if (auto tls = ssl_object()) return tls_text(*tls, name);
  return std::nullopt;
}

std::optional<TlsInfo> StreamWriter::ssl_object() const {
  if (!connection_->tls()) return std::nullopt;
  return TlsInfo(connection_->tls()->engine());
}

std::optional<TlsContext> StreamWriter::sslcontext() const {
  if (!connection_->tls()) return std::nullopt;
  return connection_->tls()->context();
}

Coro<void> StreamWriter::start_tls(TlsContext context, TlsStartOptions options) const {
  auto connection = connection_;
  if (connection->has_user())
    throw RuntimeError("the connection has a protocol; use loop.start_tls()");
  detail::TlsOptions tls(std::move(context), options.get_ssl_handshake_timeout(),
                         options.get_ssl_shutdown_timeout());
  tls.set_server_hostname(options.get_server_hostname());
  tls.alpn_protocols = options.get_alpn_protocols();
  detail::Drain drained(connection);
  co_await std::move(drained);
  connection->start_tls(tls);
  detail::HandshakeWait handshake(connection);
  co_await std::move(handshake);
}

}  // namespace asyncio
