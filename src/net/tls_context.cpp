// SPDX-License-Identifier: BSL-1.0
// Settings follow Lib/ssl.py, create_default_context, and Modules/_ssl.c.
#include "asyncio/tls.hpp"
#include "tls_context_state.hpp"
#include "tls_engine.hpp"
#include "tls_errors.hpp"
#include "tls_revision.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace asyncio {

namespace detail {

namespace {

/// PY_SSL_DEFAULT_CIPHER_STRING: keys of 2048 bits at least, forward secrecy, no SHA-1.
constexpr char kCiphers[] =
    "@SECLEVEL=2:ECDH+AESGCM:ECDH+CHACHA20:ECDH+AES:DHE+AES:!aNULL:!eNULL:!aDSS:!SHA1:!AESCCM";

/// A context without identity and trust.
ContextPtr make_context(TlsPurpose purpose) {
  ERR_clear_error();
  bool client = purpose == TlsPurpose::server_auth;
  ContextPtr context(SSL_CTX_new(client ? TLS_client_method() : TLS_server_method()));
  if (!context || !SSL_CTX_set_cipher_list(context.get(), kCiphers)) throw_ssl_error("TLS context");
  SSL_CTX* ctx = context.get();
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  SSL_CTX_set_options(
      ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // No ENABLE_AUTO_RETRY: a read that only finds a ticket says so instead of going for more.
  SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(ctx, client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(ctx);
  X509_VERIFY_PARAM_set_flags(
      param, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
  // The common name has not been a host name since RFC 6125.
  X509_VERIFY_PARAM_set_hostflags(
      param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return context;
}

/// Never asks the terminal: without a password an encrypted key is an error.
int give_password(char* room, int size, int, void* password) {
  const auto& text = *static_cast<const std::string*>(password);
  if (text.empty() || text.size() > static_cast<std::size_t>(size)) return -1;
  std::memcpy(room, text.data(), text.size());
  return static_cast<int>(text.size());
}

void load_identity(SSL_CTX* ctx, const std::string& certfile, const std::string& keyfile,
                   const std::string& password) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(ctx, certfile.c_str()) != 1)
    throw_ssl_error("load_cert_chain " + certfile);
  SSL_CTX_set_default_passwd_cb(ctx, &give_password);
  SSL_CTX_set_default_passwd_cb_userdata(ctx, const_cast<std::string*>(&password));
  bool loaded = SSL_CTX_use_PrivateKey_file(ctx, keyfile.c_str(), SSL_FILETYPE_PEM) == 1 &&
                SSL_CTX_check_private_key(ctx) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(ctx, nullptr);
  SSL_CTX_set_default_passwd_cb(ctx, nullptr);
  if (!loaded) throw_ssl_error("load_cert_chain " + keyfile);
}

int number_of(TlsVersion version) {
  return version == TlsVersion::tls1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

}  // namespace

TlsContextState::TlsContextState(TlsPurpose purpose)
    : purpose_(purpose),
      check_hostname_(purpose == TlsPurpose::server_auth),
      context_(make_context(purpose)) {
  SSL_CTX_set_app_data(get(), this);
  if (purpose == TlsPurpose::server_auth) {
    SSL_CTX_set_session_cache_mode(get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(get(), &new_session);
  } else {
    // Clients resume by tickets, which cost the server no memory.
    SSL_CTX_set_session_cache_mode(get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_client_hello_cb(get(), &TlsEngine::client_hello, nullptr);
  }
  settings_changed();
}

std::uint64_t revision_of(const TlsContextState& context) noexcept { return context.revision(); }

/// What was verified before is not verified now. Tickets name the settings by a random number.
void TlsContextState::settings_changed() {
  ++revision_;
  sessions_.forget_all();
  std::array<unsigned char, SSL_MAX_SID_CTX_LENGTH> name;
  if (RAND_bytes(name.data(), static_cast<int>(name.size())) != 1 ||
      SSL_CTX_set_session_id_context(get(), name.data(), name.size()) != 1)
    throw_ssl_error("TLS context");
}

void TlsContextState::load_cert_chain(const std::string& certfile, const std::string& keyfile,
                                      const std::string& password) {
  const std::string& key = keyfile.empty() ? certfile : keyfile;
  // First into another context, so that an error leaves this one as it was.
  ContextPtr trial = make_context(purpose_);
  SSL_CTX_set_security_level(trial.get(), SSL_CTX_get_security_level(get()));
  load_identity(trial.get(), certfile, key, password);
  load_identity(get(), certfile, key, password);
  settings_changed();
}

void TlsContextState::load_verify_locations(const std::string& cafile, const std::string& capath) {
  ERR_clear_error();
  if (cafile.empty() && capath.empty())
    throw ValueError("load_verify_locations: neither cafile nor capath is given");
  if (!cafile.empty() && SSL_CTX_load_verify_file(get(), cafile.c_str()) != 1)
    throw_ssl_error("load_verify_locations " + cafile);
  if (!capath.empty() && SSL_CTX_load_verify_dir(get(), capath.c_str()) != 1)
    throw_ssl_error("load_verify_locations " + capath);
  settings_changed();
}

void TlsContextState::load_verify_data(std::string_view pem) {
  ERR_clear_error();
  std::unique_ptr<BIO, decltype(&BIO_free)> bio(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  X509_STORE* store = SSL_CTX_get_cert_store(get());
  int count = 0;
  while (X509* certificate =
             bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr) {
    int added = X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
    if (!added) throw_ssl_error("load_verify_data");
    ++count;
  }
  unsigned long error = ERR_peek_last_error();
  bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (count == 0 || !at_end) throw_ssl_error("load_verify_data");
  ERR_clear_error();
  settings_changed();
}

void TlsContextState::load_default_certs() {
  ERR_clear_error();
  if (SSL_CTX_set_default_verify_paths(get()) != 1) throw_ssl_error("load_default_certs");
  ERR_clear_error();  // a file that is not there is no error
  settings_changed();
}

/// A client that verifies checks the name, too.
void TlsContextState::verify_mode(int mode) {
  check_hostname_ = purpose_ == TlsPurpose::server_auth && mode != SSL_VERIFY_NONE;
  SSL_CTX_set_verify(get(), mode, nullptr);
  settings_changed();
}

void TlsContextState::check_revocation(bool enabled) {
  X509_VERIFY_PARAM* param = SSL_CTX_get0_param(get());
  if (enabled)
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK);
  else
    X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_CRL_CHECK);
  settings_changed();
}

void TlsContextState::skip_hostname_check() {
  check_hostname_ = false;
  settings_changed();
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      throw SSLError("set_alpn_protocols", "", "", "ALPN protocols must have 1 to 255 bytes");
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

void TlsContextState::set_alpn_protocols(const std::vector<std::string>& protocols) {
  std::string wire = alpn_wire(protocols);
  const auto* bytes = reinterpret_cast<const unsigned char*>(wire.data());
  // Zero is success here.
  if (SSL_CTX_set_alpn_protos(get(), bytes, static_cast<unsigned>(wire.size())) != 0)
    throw_ssl_error("set_alpn_protocols");
  alpn_ = std::move(wire);
  SSL_CTX_set_alpn_select_cb(get(), alpn_.empty() ? nullptr : &select_alpn, this);
  settings_changed();
}

/// RFC 7301, 3.2: the server's preference counts, and no protocol in common is a fatal error.
int TlsContextState::select_alpn(SSL*, const unsigned char** chosen, unsigned char* size,
                                 const unsigned char* offered, unsigned offered_size, void* self) {
  const std::string& ours = static_cast<TlsContextState*>(self)->alpn_;
  unsigned char* match = nullptr;
  int result =
      SSL_select_next_proto(&match, size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_size);
  *chosen = match;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsContextState::new_session(SSL* ssl, SSL_SESSION* session) {
  return TlsEngine::of(ssl).keep_session(session) ? 1 : 0;
}

void TlsContextState::set_ciphers(const std::string& ciphers) {
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(get(), ciphers.c_str()) != 1)
    throw_ssl_error("set_ciphers " + ciphers);
  settings_changed();
}

void TlsContextState::minimum_version(TlsVersion version) {
  SSL_CTX_set_min_proto_version(get(), number_of(version));
  settings_changed();
}

void TlsContextState::maximum_version(TlsVersion version) {
  SSL_CTX_set_max_proto_version(get(), number_of(version));
  settings_changed();
}

void TlsContextState::sni_callback(TlsContext::ServerNameCallback callback) {
  sni_callback_ = std::move(callback);
}

void TlsContextState::keylog_filename(const std::string& path) {
  std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "ae"));
  if (!file) throw_os_error(errno, "keylog_filename " + path);
  keylog_ = std::move(file);
  SSL_CTX_set_keylog_callback(get(), &write_key);
}

void TlsContextState::write_key(const SSL* ssl, const char* line) {
  auto* self = static_cast<TlsContextState*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  std::fprintf(self->keylog_.get(), "%s\n", line);
  std::fflush(self->keylog_.get());
}

}  // namespace detail

TlsContext::TlsContext(TlsPurpose purpose)
    : state_(std::make_shared<detail::TlsContextState>(purpose)) {}

TlsPurpose TlsContext::purpose() const noexcept { return state_->purpose(); }

TlsContext& TlsContext::load_cert_chain(const std::string& certfile, const std::string& keyfile,
                                        const std::string& password) {
  state_->load_cert_chain(certfile, keyfile, password);
  return *this;
}

TlsContext& TlsContext::load_verify_locations(const std::string& cafile,
                                              const std::string& capath) {
  state_->load_verify_locations(cafile, capath);
  return *this;
}

TlsContext& TlsContext::load_verify_data(std::string_view pem) {
  state_->load_verify_data(pem);
  return *this;
}

TlsContext& TlsContext::load_default_certs() {
  state_->load_default_certs();
  return *this;
}

TlsContext& TlsContext::verify_mode(VerifyMode mode) {
  if (purpose() == TlsPurpose::server_auth && mode != VerifyMode::required)
    throw ValueError(
        "a client verifies its servers, unless insecure_skip_verification() is called");
  int flags = SSL_VERIFY_NONE;
  if (mode != VerifyMode::none) flags |= SSL_VERIFY_PEER;
  if (mode == VerifyMode::required) flags |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  state_->verify_mode(flags);
  return *this;
}

TlsContext& TlsContext::check_revocation(bool enabled) {
  state_->check_revocation(enabled);
  return *this;
}

TlsContext& TlsContext::insecure_skip_verification() {
  state_->verify_mode(SSL_VERIFY_NONE);
  return *this;
}

TlsContext& TlsContext::insecure_skip_hostname_check() {
  state_->skip_hostname_check();
  return *this;
}

TlsContext& TlsContext::set_alpn_protocols(const std::vector<std::string>& protocols) {
  state_->set_alpn_protocols(protocols);
  return *this;
}

TlsContext& TlsContext::set_ciphers(const std::string& ciphers) {
  state_->set_ciphers(ciphers);
  return *this;
}

TlsContext& TlsContext::minimum_version(TlsVersion version) {
  state_->minimum_version(version);
  return *this;
}

TlsContext& TlsContext::maximum_version(TlsVersion version) {
  state_->maximum_version(version);
  return *this;
}

TlsContext& TlsContext::sni_callback(ServerNameCallback callback) {
  state_->sni_callback(std::move(callback));
  return *this;
}

TlsContext& TlsContext::keylog_filename(const std::string& path) {
  state_->keylog_filename(path);
  return *this;
}

TlsContext create_default_context(TlsPurpose purpose) {
  TlsContext context(purpose);
  if (purpose == TlsPurpose::server_auth) context.load_default_certs();
  return context;
}

}  // namespace asyncio
