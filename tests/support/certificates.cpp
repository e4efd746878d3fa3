// SPDX-License-Identifier: BSL-1.0
#include "certificates.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <fstream>
#include <stdexcept>

namespace test {

namespace {

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("test certificate: ") + what);
}

/// The text that `print` writes.
template <class F>
std::string printed(F print) {
  BIO* bio = BIO_new(BIO_s_mem());
  require(bio && print(bio) == 1, "PEM");
  char* text = nullptr;
  long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<std::size_t>(size));
  BIO_free(bio);
  return copy;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension && X509_add_ext(certificate, extension, -1) == 1, value.c_str());
  X509_EXTENSION_free(extension);
}

}  // namespace

Identity::Identity(const Folder& folder, const CertificateSpec& spec) {
  make(spec, nullptr, nullptr);
  write(folder, spec.name_, "");
}

Identity::Identity(const Folder& folder, const CertificateSpec& spec, const Identity& issuer,
                   bool with_issuer) {
  make(spec, issuer.certificate_.get(), issuer.key_.get());
  write(folder, spec.name_, with_issuer ? issuer.certificate_pem() : "");
}

void Identity::make(const CertificateSpec& spec, X509* issuer, EVP_PKEY* issuer_key) {
  static std::atomic<long> serial{1000};
  key_.reset(spec.rsa_bits_ > 0 ? EVP_RSA_gen(spec.rsa_bits_)
                                : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  certificate_.reset(X509_new());
  X509* made = certificate_.get();
  require(key_ && made, "key");
  if (!issuer) issuer = made;
  X509_set_version(made, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made), 24L * 3600 * spec.from_);
  X509_gmtime_adj(X509_getm_notAfter(made), 24L * 3600 * spec.to_);
  X509_set_pubkey(made, key_.get());
  X509_NAME* subject = X509_get_subject_name(made);
  const auto* name = reinterpret_cast<const unsigned char*>(spec.name_.c_str());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, name, -1, -1, 0);
  X509_set_issuer_name(made, X509_get_subject_name(issuer));
  add_extension(made, issuer, NID_subject_key_identifier, "hash");
  if (issuer != made) add_extension(made, issuer, NID_authority_key_identifier, "keyid:always");
  add_extension(made, issuer, NID_basic_constraints,
                spec.authority_ ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(made, issuer, NID_key_usage,
                spec.authority_ ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  if (!spec.authority_) add_extension(made, issuer, NID_ext_key_usage, spec.usage_);
  if (!spec.alternatives_.empty())
    add_extension(made, issuer, NID_subject_alt_name, spec.alternatives_);
  const EVP_MD* digest = spec.sha1_ ? EVP_sha1() : EVP_sha256();
  require(X509_sign(made, issuer_key ? issuer_key : key_.get(), digest) > 0, "signature");
}

void Identity::write(const Folder& folder, const std::string& name, const std::string& chain) {
  static std::atomic<int> count{0};
  std::string base = name + "-" + std::to_string(++count);
  certfile = folder.write(base + ".pem", certificate_pem() + chain);
  keyfile = folder.write(base + ".key", key_pem());
}

std::string Identity::certificate_pem() const {
  return printed([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
}

std::string Identity::key_pem() const {
  return printed([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

std::string Identity::encrypted_key(const std::string& password) const {
  return printed([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), EVP_aes_128_cbc(), password.data(),
                                         static_cast<int>(password.size()), nullptr, nullptr);
  });
}

std::string Identity::revocation_list(const std::vector<const Identity*>& revoked) const {
  X509_CRL* list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_.get()));
  ASN1_TIME* now = X509_gmtime_adj(nullptr, -3600);
  ASN1_TIME* later = X509_gmtime_adj(nullptr, 24L * 3600);
  X509_CRL_set1_lastUpdate(list, now);
  X509_CRL_set1_nextUpdate(list, later);
  for (const Identity* identity : revoked) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(identity->certificate_.get()));
    X509_REVOKED_set_revocationDate(entry, now);
    X509_CRL_add0_revoked(list, entry);
  }
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate_.get(), nullptr, nullptr, list, 0);
  X509_EXTENSION* extension =
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always");
  X509_CRL_add_ext(list, extension, -1);
  X509_EXTENSION_free(extension);
  require(X509_CRL_sign(list, key_.get(), EVP_sha256()) > 0, "revocation list");
  std::string text = printed([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list); });
  ASN1_TIME_free(now);
  ASN1_TIME_free(later);
  X509_CRL_free(list);
  return text;
}

}  // namespace test
