// SPDX-License-Identifier: BSL-1.0
/// TLS: contexts, what is known about a connection's TLS, and its errors. Python: the module ssl.
///
/// A context goes into ConnectOptions::ssl, ServerOptions::ssl or StreamWriter::start_tls.
#pragma once

#include "asyncio/exceptions.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio {

namespace detail {
class TlsContextState;
class TlsEngine;
}  // namespace detail

/// TLS failed. `what()` says during what, with whom, and Python's text: "TLS handshake with
/// 127.0.0.1:443: [SSL: WRONG_VERSION_NUMBER] wrong version number".
///
/// asyncio  ssl, SSLError
class SSLError : public OSError {
 public:
  SSLError(const std::string& during, std::string library, std::string reason,
           const std::string& text);
  ~SSLError() override;

  const char* what() const noexcept override { return text_->c_str(); }
  /// "SSL", "X509", "PEM", ...; empty if it was not one of OpenSSL's.
  const std::string& library() const noexcept { return facts_->first; }
  /// "WRONG_VERSION_NUMBER", ...
  const std::string& reason() const noexcept { return facts_->second; }

 protected:
  SSLError(int code, const std::string& during, std::string library, std::string reason,
           const std::string& text);

 private:
  // Shared, so that copies do not throw.
  std::shared_ptr<const std::string> text_;
  std::shared_ptr<const std::pair<std::string, std::string>> facts_;
};

/// The peer's certificate is not to be trusted, or not the one of the name that was asked for.
class SSLCertVerificationError final : public SSLError {
 public:
  SSLCertVerificationError(const std::string& during, long code, const std::string& message);
  ~SSLCertVerificationError() override;

  /// OpenSSL's X509_V_ERR_... number.
  long verify_code() const noexcept { return code_; }
  /// "self-signed certificate", "Hostname mismatch, certificate is not valid for 'example.org'."
  const std::string& verify_message() const noexcept { return *message_; }

 private:
  long code_;
  std::shared_ptr<const std::string> message_;
};

/// The connection ended without the peer's saying so: what was read may be cut off.
class SSLEOFError final : public SSLError {
 public:
  explicit SSLEOFError(const std::string& during);
  ~SSLEOFError() override;
};

/// Which end of a connection a context is for. Python: ssl.Purpose.
enum class TlsPurpose : std::uint8_t {
  server_auth,  // for clients, who authenticate servers
  client_auth,  // for servers
};

/// Python: ssl.TLSVersion.
enum class TlsVersion : std::uint8_t { tls1_2, tls1_3 };

/// Whether a peer has to have a certificate. Python: ssl.VerifyMode.
enum class VerifyMode : std::uint8_t { none, optional, required };

/// Certificates, trust and settings for TLS. A handle: copies name the same context.
///
/// Safe as it is made: TLS 1.2 at least, ciphers with forward secrecy, and for clients the system's
/// trust store, verification of the chain and of the host name. It may be changed at any time;
/// connections that exist keep what they have.
///
/// Clients keep sessions and resume them with the same host and port, as long as nothing was
/// changed; servers resume by tickets.
///
/// Thread   any, as long as nobody else uses it while it is changed.
/// asyncio  ssl, SSLContext
class TlsContext {
 public:
  /// Called with the host name that a client asks for; the context to go on with, or nullopt for
  /// this one. What it throws goes to the loop's exception handler and ends that connection alone.
  using ServerNameCallback = std::function<std::optional<TlsContext>(const std::string& name)>;

  /// Use create_default_context().
  explicit TlsContext(TlsPurpose purpose);

  TlsPurpose purpose() const noexcept;

  /// Our certificate with those that lead to its root, and its key (by default in the same file),
  /// in PEM.
  ///
  /// Throws   OSError if a file cannot be read; SSLError, with the file's name, for what is in it,
  ///          for a key that does not fit, and for a wrong or missing password.
  TlsContext& load_cert_chain(const std::string& certfile, const std::string& keyfile = {},
                              const std::string& password = {});

  /// Adds the certificates in a PEM file, and in a folder prepared by `openssl rehash`, to those
  /// that are trusted; also revocation lists, see check_revocation.
  ///
  /// Throws   OSError if a file cannot be read; SSLError, with the file's name, for what is in it.
  TlsContext& load_verify_locations(const std::string& cafile, const std::string& capath = {});
  /// The same with PEM text. Python: cadata.
  TlsContext& load_verify_data(std::string_view pem);
  /// Trusts the certificates of the system, or of env SSL_CERT_FILE and SSL_CERT_DIR.
  TlsContext& load_default_certs();

  /// For servers: whether clients have to have a certificate; by default not.
  ///
  /// Throws   ValueError for a client's context unless `mode` is required.
  TlsContext& verify_mode(VerifyMode mode);
  /// Refuses certificates of the peer that a loaded revocation list names, or that no list covers.
  TlsContext& check_revocation(bool enabled);
  /// Accepts any certificate of anybody: whoever is on the way can read and change everything.
  TlsContext& insecure_skip_verification();
  /// Accepts a trusted certificate for any other host: whoever has one can be in between.
  TlsContext& insecure_skip_hostname_check();

  /// The protocols we speak ("h2", "http/1.1"), best first. A server that has none in common with
  /// the client refuses the connection.
  ///
  /// Throws   SSLError unless each has 1 to 255 bytes.
  TlsContext& set_alpn_protocols(const std::vector<std::string>& protocols);
  /// The ciphers of TLS 1.2, as in `openssl ciphers`.
  ///
  /// Throws   SSLError if none is left.
  TlsContext& set_ciphers(const std::string& ciphers);
  /// TLS 1.2 by default.
  TlsContext& minimum_version(TlsVersion version);
  TlsContext& maximum_version(TlsVersion version);
  /// For servers: see ServerNameCallback.
  TlsContext& sni_callback(ServerNameCallback callback);
  /// Appends the secrets of all connections to a file, for Wireshark. Who has it reads everything.
  ///
  /// Throws   OSError if the file cannot be written.
  TlsContext& keylog_filename(const std::string& path);

  friend bool operator==(const TlsContext&, const TlsContext&) noexcept = default;

  /// For the library.
  const std::shared_ptr<detail::TlsContextState>& state() const noexcept { return state_; }

 private:
  std::shared_ptr<detail::TlsContextState> state_;
};

/// A context with safe settings: for clients with the system's trust store, for servers
/// (TlsPurpose::client_auth) still to be given a certificate.
///
/// asyncio  ssl, create_default_context
TlsContext create_default_context(TlsPurpose purpose = TlsPurpose::server_auth);

/// A certificate of the peer. Python: SSLSocket.getpeercert().
class PeerCertificate {
 public:
  /// (name, value) in order: ("countryName", "DE"), ("commonName", "example.org").
  using Name = std::vector<std::pair<std::string, std::string>>;

  explicit PeerCertificate(std::string der);

  Name subject;
  Name issuer;
  /// ("DNS", "example.org"), ("IP Address", "127.0.0.1"), ("URI", ...), ("email", ...).
  Name subject_alt_name;
  std::string serial_number;  // hexadecimal
  std::string not_before;     // "Nov 21 10:00:00 2026 GMT"
  std::string not_after;
  std::string der;
  /// SHA-256 of `der` in hexadecimal, to compare with a fingerprint that is known.
  std::string sha256;
};

/// What two ends have agreed on. Python: ssl.SSLObject, as far as it tells.
class TlsInfo {
 public:
  explicit TlsInfo(const detail::TlsEngine& engine);

  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  int cipher_bits = 0;
  std::optional<std::string> selected_alpn_protocol;
  /// What a client has asked for, also on the server's side.
  std::string server_hostname;
  bool server_side = false;
  bool session_reused = false;
  /// Not of a resumed session on the server's side unless the ticket has it.
  std::optional<PeerCertificate> peercert;
};

}  // namespace asyncio
