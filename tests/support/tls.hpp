// SPDX-License-Identifier: BSL-1.0
/// Two ends of a TLS connection.
#pragma once

#include "asyncio/tls.hpp"
#include "certificates.hpp"
#include "connected.hpp"

namespace test {

using asyncio::create_default_context;
using asyncio::ServerOptions;
using asyncio::TlsContext;
using asyncio::TlsPurpose;

/// An authority, a server "localhost" (also 127.0.0.1) and a client that trusts the authority.
class Pki {
 public:
  TlsContext server() const { return server_with(localhost); }
  TlsContext server_with(const Identity& identity) const {
    TlsContext context = create_default_context(TlsPurpose::client_auth);
    context.load_cert_chain(identity.certfile, identity.keyfile);
    return context;
  }
  TlsContext client() const {
    TlsContext context(TlsPurpose::server_auth);
    context.load_verify_locations(root.certfile);
    return context;
  }

  Folder folder;
  Identity root{folder, CertificateSpec("Test Root").authority()};
  Identity localhost{folder,
                     CertificateSpec("localhost").alternatives("DNS:localhost,IP:127.0.0.1"), root};
};

/// Made once: keys take time.
inline const Pki& pki() {
  static const Pki instance;
  return instance;
}

/// As connected(), over TLS.
inline Coro<Connected> tls_connected(TlsContext server, TlsContext client,
                                     ServerOptions server_options = {},
                                     ConnectOptions options = {}) {
  auto accepted = asyncio::get_running_loop().create_future<Streams>();
  auto handler = [accepted](StreamReader reader, StreamWriter writer) mutable {
    accepted.set_result(Streams(std::move(reader), std::move(writer)));
  };
  server_options.ssl(server);
  options.ssl(client);
  if (!options.get_tls().get_server_hostname()) options.server_hostname("localhost");
  Server listening = co_await asyncio::start_server(handler, "127.0.0.1", 0, server_options);
  std::uint16_t port = listening.sockets().at(0).port();
  Streams ours = co_await asyncio::open_connection("127.0.0.1", port, options);
  Streams theirs = co_await accepted;
  Connected both(std::move(listening), std::move(ours), std::move(theirs));
  co_return both;
}

inline Coro<Connected> tls_connected() { return tls_connected(pki().server(), pki().client()); }

}  // namespace test
