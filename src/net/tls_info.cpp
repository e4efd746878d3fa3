// SPDX-License-Identifier: BSL-1.0
// What a connection's TLS is like. Python: Modules/_ssl.c, _decode_certificate.
#include "asyncio/tls.hpp"
#include "tls_engine.hpp"
#include "tls_errors.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>

namespace asyncio {

namespace {

struct Free {
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(GENERAL_NAMES* names) const noexcept { GENERAL_NAMES_free(names); }
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
  void operator()(BIGNUM* number) const noexcept { BN_free(number); }
};

std::string text_of(const ASN1_STRING* string) {
  unsigned char* bytes = nullptr;
  int size = ASN1_STRING_to_UTF8(&bytes, string);
  if (size < 0) return {};
  std::string text(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return text;
}

PeerCertificate::Name parts_of(const X509_NAME* name) {
  PeerCertificate::Name parts;
  for (int i = 0; i < X509_NAME_entry_count(name); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
    const char* key = OBJ_nid2ln(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
    parts.emplace_back(key ? key : "", text_of(X509_NAME_ENTRY_get_data(entry)));
  }
  return parts;
}

std::string ip_text(const ASN1_OCTET_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  int size = ASN1_STRING_length(bytes);
  if (size != 4 && size != 16) return "<invalid>";
  int family = size == 4 ? AF_INET : AF_INET6;
  inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size());
  return text.data();
}

PeerCertificate::Name alternatives_of(const X509* certificate) {
  PeerCertificate::Name parts;
  std::unique_ptr<GENERAL_NAMES, Free> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS)
      parts.emplace_back("DNS", text_of(name->d.dNSName));
    else if (name->type == GEN_IPADD)
      parts.emplace_back("IP Address", ip_text(name->d.iPAddress));
    else if (name->type == GEN_URI)
      parts.emplace_back("URI", text_of(name->d.uniformResourceIdentifier));
    else if (name->type == GEN_EMAIL)
      parts.emplace_back("email", text_of(name->d.rfc822Name));
  }
  return parts;
}

std::string time_text(const ASN1_TIME* time) {
  std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
  if (!bio || ASN1_TIME_print(bio.get(), time) != 1) return {};
  char* text = nullptr;
  long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string serial_text(const X509* certificate) {
  std::unique_ptr<BIGNUM, Free> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  std::string copy = text ? text : "";
  OPENSSL_free(text);
  return copy;
}

std::string sha256_of(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (!EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr))
    detail::throw_ssl_error("certificate");
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[digest[i] >> 4];
    text += kDigits[digest[i] & 15];
  }
  return text;
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  int size = i2d_X509(certificate, &bytes);
  if (size < 0) detail::throw_ssl_error("certificate");
  std::string der(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return der;
}

std::optional<std::string> alpn_of(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  if (size == 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(name), size);
}

std::string text_or_empty(const char* text) { return text ? text : ""; }

}  // namespace

PeerCertificate::PeerCertificate(std::string bytes) : der(std::move(bytes)) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  std::unique_ptr<X509, Free> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!certificate) detail::throw_ssl_error("certificate");
  subject = parts_of(X509_get_subject_name(certificate.get()));
  issuer = parts_of(X509_get_issuer_name(certificate.get()));
  subject_alt_name = alternatives_of(certificate.get());
  serial_number = serial_text(certificate.get());
  not_before = time_text(X509_get0_notBefore(certificate.get()));
  not_after = time_text(X509_get0_notAfter(certificate.get()));
  sha256 = sha256_of(der);
}

TlsInfo::TlsInfo(const detail::TlsEngine& engine) {
  const SSL* ssl = engine.get();
  version = SSL_get_version(ssl);
  cipher = text_or_empty(SSL_get_cipher_name(ssl));
  cipher_bits = SSL_get_cipher_bits(ssl, nullptr);
  selected_alpn_protocol = alpn_of(ssl);
  server_hostname = text_or_empty(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
  server_side = SSL_is_server(ssl);
  session_reused = SSL_session_reused(ssl);
  if (X509* certificate = SSL_get0_peer_certificate(ssl)) peercert.emplace(der_of(certificate));
}

}  // namespace asyncio
