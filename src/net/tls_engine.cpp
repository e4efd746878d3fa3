// SPDX-License-Identifier: BSL-1.0
#include "tls_engine.hpp"

#include "tls_errors.hpp"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

namespace asyncio::detail {

namespace {

constexpr std::size_t kHeader = 5;
/// RFC 5246, 6.2.3: the most that a record may carry when it is encrypted.
constexpr std::size_t kMostEncrypted = 16 * 1024 + 2048;

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes;
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::size_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/// The host name in the extension of RFC 6066, 3; empty if it is none.
std::string_view host_name(std::string_view extension) {
  constexpr std::size_t kBefore = 5;  // size of the list, kind and size of the name
  if (extension.size() <= kBefore || number_at(extension, 0) != extension.size() - 2) return {};
  std::size_t size = number_at(extension, 3);
  if (byte_at(extension, 2) != TLSEXT_NAMETYPE_host_name || size > extension.size() - kBefore)
    return {};
  std::string_view name = extension.substr(kBefore, size);
  return name.find('\0') == std::string_view::npos ? name : std::string_view();
}

}  // namespace

TlsEngine::TlsEngine(std::shared_ptr<TlsContextState> context, TlsCarrier& carrier,
                     const std::string& server_hostname, const std::string& service)
    : first_context_(std::move(context)), context_(first_context_), carrier_(carrier) {
  ERR_clear_error();
  ssl_.reset(SSL_new(context_->get()));
  BIO* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
  if (!bio) throw_ssl_error("TLS");
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(get(), bio, bio);
  SSL_set_app_data(get(), this);
  if (context_->purpose() == TlsPurpose::client_auth) {
    SSL_set_accept_state(get());
    return;
  }
  SSL_set_connect_state(get());
  expect_host(server_hostname);
  session_name_ = server_hostname + ":" + service;
  resume_session(session_name_);
}

TlsEngine::~TlsEngine() = default;

void TlsEngine::offer(const std::vector<std::string>& protocols) {
  if (context_->names_protocols()) return;
  const std::string wire = alpn_wire(protocols);
  const auto* bytes = reinterpret_cast<const unsigned char*>(wire.data());
  // Zero is success here.
  if (SSL_set_alpn_protos(get(), bytes, static_cast<unsigned>(wire.size())) != 0)
    throw_ssl_error("set_alpn_protocols");
}

TlsEngine& TlsEngine::of(const SSL* ssl) noexcept {
  return *static_cast<TlsEngine*>(SSL_get_app_data(ssl));
}

void TlsEngine::expect_host(const std::string& server_hostname) {
  if (server_hostname.empty()) return;
  bool ip = is_ip_address(server_hostname);
  // RFC 6066, 3: names only.
  if (!ip && SSL_set_tlsext_host_name(get(), server_hostname.c_str()) != 1)
    throw_ssl_error("TLS with " + server_hostname);
  if (!context_->checks_hostname()) return;
  int set = ip ? X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(get()), server_hostname.c_str())
               : SSL_set1_host(get(), server_hostname.c_str());
  if (set != 1) throw_ssl_error("TLS with " + server_hostname);
}

void TlsEngine::resume_session(const std::string& name) {
  session_generation_ = context_->sessions().generation();
  SessionPtr session = context_->sessions().take(name);
  if (!session) return;
  // One that cannot be used is as good as none.
  if (SSL_set_session(get(), session.get()) != 1) ERR_clear_error();
  // TLS 1.2 may use it again; of TLS 1.3 the server sends a new one with each connection.
  if (SSL_SESSION_get_protocol_version(session.get()) < TLS1_3_VERSION)
    context_->sessions().put(name, session_generation_, std::move(session));
}

bool TlsEngine::keep_session(SSL_SESSION* session) {
  if (session_name_.empty() || !SSL_SESSION_is_resumable(session)) return false;
  SessionPtr ours(session);
  try {
    first_context_->sessions().put(session_name_, session_generation_, std::move(ours));
  } catch (const std::bad_alloc&) {  // It must not go through OpenSSL, and no session is no loss.
  }
  return true;
}

// --- The server's choice by the client's name -------------------------------------------------

/// Before anything else is looked at, so that a ticket counts only for the context that it is for.
int TlsEngine::client_hello(SSL* ssl, int* alert, void*) {
  TlsEngine& self = of(ssl);
  if (!self.context_->sni_callback()) return SSL_CLIENT_HELLO_SUCCESS;
  const unsigned char* bytes = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &size) != 1)
    return SSL_CLIENT_HELLO_SUCCESS;
  std::string_view name = host_name({reinterpret_cast<const char*>(bytes), size});
  return name.empty() ? SSL_CLIENT_HELLO_SUCCESS : self.choose_context(name, alert);
}

int TlsEngine::choose_context(std::string_view name, int* alert) {
  *alert = SSL_AD_INTERNAL_ERROR;
  try {
    std::optional<TlsContext> chosen = context_->sni_callback()(std::string(name));
    if (!chosen || chosen->state() == context_) return SSL_CLIENT_HELLO_SUCCESS;
    if (chosen->purpose() != TlsPurpose::client_auth)
      throw ValueError("the SNI callback chose a context for clients");
    context_ = chosen->state();
  } catch (...) {  // It must not go through OpenSSL; the connection fails with it.
    error_ = std::current_exception();
    callback_failed_ = true;
    return SSL_CLIENT_HELLO_ERROR;
  }
  SSL_CTX* ctx = context_->get();
  if (!SSL_set_SSL_CTX(get(), ctx)) return SSL_CLIENT_HELLO_ERROR;
  SSL_set_verify(get(), SSL_CTX_get_verify_mode(ctx), nullptr);
  X509_VERIFY_PARAM_set1(SSL_get0_param(get()), SSL_CTX_get0_param(ctx));
  SSL_set_min_proto_version(get(), static_cast<int>(SSL_CTX_get_min_proto_version(ctx)));
  SSL_set_max_proto_version(get(), static_cast<int>(SSL_CTX_get_max_proto_version(ctx)));
  return SSL_CLIENT_HELLO_SUCCESS;
}

// --- What OpenSSL reads and writes ------------------------------------------------------------

BIO_METHOD* TlsEngine::bio_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "asyncio");
    if (!made) throw_ssl_error("TLS");
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

int TlsEngine::bio_write(BIO* bio, const char* data, int size) {
  auto& self = *static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  try {
    self.carrier_.send_record({data, static_cast<std::size_t>(size)});
  } catch (...) {  // It must not go through OpenSSL; the engine fails with it.
    self.error_ = std::current_exception();
    return -1;
  }
  return size;
}

int TlsEngine::bio_read(BIO* bio, char* room, int size) {
  auto& self = *static_cast<TlsEngine*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  std::size_t count = std::min(static_cast<std::size_t>(size), self.whole_);
  if (count == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  std::memcpy(room, self.input_.data(), count);
  self.input_.remove_prefix(count);
  self.whole_ -= count;
  return static_cast<int>(count);
}

long TlsEngine::bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// --- Input ------------------------------------------------------------------------------------

void TlsEngine::feed(std::string_view bytes) {
  if (input_.empty()) {
    input_ = bytes;
  } else {
    keep();
    kept_.append(bytes);
    input_ = std::string_view(kept_).substr(kept_.size() - bytes.size() - input_.size());
  }
  count_whole_records();
}

void TlsEngine::keep() {
  if (input_.empty()) {
    std::string().swap(kept_);
  } else if (input_.data() < kept_.data() || input_.data() >= kept_.data() + kept_.size()) {
    kept_.assign(input_);
  } else if (input_.size() <= kept_.size() / 2) {
    // Moving what is left is paid for by what was read.
    kept_.erase(0, kept_.size() - input_.size());
  } else {
    return;
  }
  if (kept_.capacity() > 2 * kept_.size()) kept_.shrink_to_fit();
  if (!input_.empty()) input_ = kept_;
}

/// What is no record at all is passed on: OpenSSL knows what to say about it.
void TlsEngine::count_whole_records() noexcept {
  std::size_t at = 0;
  while (input_.size() - at >= kHeader) {
    std::uint8_t type = byte_at(input_, at);
    std::size_t size = number_at(input_, at + 3);
    if (type < SSL3_RT_CHANGE_CIPHER_SPEC || type > SSL3_RT_APPLICATION_DATA ||
        size > kMostEncrypted) {
      at = input_.size();
      break;
    }
    if (input_.size() - at < kHeader + size) break;
    at += kHeader + size;
  }
  whole_ = at;
}

// --- The connection ---------------------------------------------------------------------------

TlsEngine::Progress TlsEngine::handshake() {
  if (failed()) return Progress::failed;
  // OpenSSL takes 50 KiB when it begins, which a peer that never says anything is not worth.
  if (SSL_is_server(get()) && whole_ == 0 && !eof_) return Progress::wants_input;
  ERR_clear_error();
  int result = SSL_do_handshake(get());
  if (result == 1) return Progress::done;
  if (!failed() && SSL_get_error(get(), result) == SSL_ERROR_WANT_READ) {
    if (!eof_) return Progress::wants_input;
    error_ = make_os_error(ECONNRESET, "TLS handshake with " + carrier_.peer_text());
  } else {
    fail("TLS handshake with ");
  }
  return Progress::failed;
}

std::int64_t TlsEngine::read(std::span<char> room) {
  while (!failed()) {
    ERR_clear_error();
    std::size_t count = 0;
    int result = SSL_read_ex(get(), room.data(), room.size(), &count);
    if (result == 1) return static_cast<std::int64_t>(count);
    int why = failed() ? SSL_ERROR_SYSCALL : SSL_get_error(get(), result);
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why != SSL_ERROR_WANT_READ)
      fail("TLS recv from ");
    else if (whole_ > 0)
      continue;  // it was a record without data
    else if (!eof_)
      return -EAGAIN;
    else
      error_ = std::make_exception_ptr(SSLEOFError("TLS recv from " + carrier_.peer_text()));
  }
  return -EPROTO;
}

bool TlsEngine::write(std::string_view data) {
  while (!data.empty() && !failed()) {
    ERR_clear_error();
    std::size_t count = 0;
    int result = SSL_write_ex(get(), data.data(), std::min(data.size(), kRecord), &count);
    if (result != 1) fail("TLS send to ");
    data.remove_prefix(count);
  }
  return !failed();
}

void TlsEngine::close() {
  if (failed() || !SSL_is_init_finished(get())) return;
  ERR_clear_error();
  SSL_shutdown(get());
  ERR_clear_error();
}

/// OpenSSL gave up; if it had no reason of its own, the carrier or a callback had.
void TlsEngine::fail(const char* during) {
  if (!failed()) {
    std::string with = during + carrier_.peer_text();
    error_ = verification_error(with);
    if (!error_) error_ = take_ssl_error(with);
  }
  ERR_clear_error();
}

/// Null if it was something else. Python: fill_and_set_sslerror.
std::exception_ptr TlsEngine::verification_error(const std::string& during) const {
  unsigned long last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) != ERR_LIB_SSL || ERR_GET_REASON(last) != SSL_R_CERTIFICATE_VERIFY_FAILED)
    return nullptr;
  long code = SSL_get_verify_result(get());
  std::string message = X509_verify_cert_error_string(code);
  X509_VERIFY_PARAM* param = SSL_get0_param(get());
  if (code == X509_V_ERR_HOSTNAME_MISMATCH) {
    const char* host = X509_VERIFY_PARAM_get0_host(param, 0);
    message =
        "Hostname mismatch, certificate is not valid for '" + std::string(host ? host : "") + "'.";
  } else if (code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    std::unique_ptr<char, void (*)(char*)> ip(X509_VERIFY_PARAM_get1_ip_asc(param),
                                              [](char* text) { OPENSSL_free(text); });
    message = "IP address mismatch, certificate is not valid for '" +
              std::string(ip ? ip.get() : "") + "'.";
  }
  return std::make_exception_ptr(SSLCertVerificationError(during, code, message));
}

}  // namespace asyncio::detail
