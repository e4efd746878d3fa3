// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/tls.hpp"
#include "tls_session_cache.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace asyncio::detail {

struct FreeContext {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeContext>;

/// Names of protocols as they go over the wire (RFC 7301, 3.1).
/// Throws: SSLError unless each has 1 to 255 bytes.
std::string alpn_wire(const std::vector<std::string>& protocols);

/// What is behind a TlsContext. Engines keep it alive, so OpenSSL's callbacks may point to it.
class TlsContextState {
 public:
  explicit TlsContextState(TlsPurpose purpose);
  TlsContextState(const TlsContextState&) = delete;
  TlsContextState& operator=(const TlsContextState&) = delete;

  TlsPurpose purpose() const noexcept { return purpose_; }
  SSL_CTX* get() const noexcept { return context_.get(); }
  bool checks_hostname() const noexcept { return check_hostname_; }
  TlsSessionCache& sessions() noexcept { return sessions_; }
  /// How often what is verified, or who we are, was changed.
  std::uint64_t revision() const noexcept { return revision_; }
  const TlsContext::ServerNameCallback& sni_callback() const noexcept { return sni_callback_; }

  void load_cert_chain(const std::string& certfile, const std::string& keyfile,
                       const std::string& password);
  void load_verify_locations(const std::string& cafile, const std::string& capath);
  void load_verify_data(std::string_view pem);
  void load_default_certs();
  void verify_mode(int mode);
  void check_revocation(bool enabled);
  void skip_hostname_check();
  void set_alpn_protocols(const std::vector<std::string>& protocols);
  bool names_protocols() const noexcept { return !alpn_.empty(); }
  void set_ciphers(const std::string& ciphers);
  void minimum_version(TlsVersion version);
  void maximum_version(TlsVersion version);
  void sni_callback(TlsContext::ServerNameCallback callback);
  void keylog_filename(const std::string& path);

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };

  static int select_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* size,
                         const unsigned char* offered, unsigned offered_size, void* self);
  static int new_session(SSL* ssl, SSL_SESSION* session);
  static void write_key(const SSL* ssl, const char* line);
  void settings_changed();

  TlsPurpose purpose_;
  bool check_hostname_;
  ContextPtr context_;
  std::string alpn_;  // as it goes over the wire
  TlsContext::ServerNameCallback sni_callback_;
  std::unique_ptr<std::FILE, CloseFile> keylog_;
  TlsSessionCache sessions_;
  std::uint64_t revision_ = 0;
};

}  // namespace asyncio::detail
