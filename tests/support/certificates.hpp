// SPDX-License-Identifier: BSL-1.0
/// Certificates that are made while a test runs, in a folder that goes with it.
#pragma once

#include "folder.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace test {

/// What a certificate says.
class CertificateSpec {
 public:
  explicit CertificateSpec(std::string common_name) : name_(std::move(common_name)) {}

  /// As in a subjectAltName: "DNS:example.org,IP:127.0.0.1".
  CertificateSpec& alternatives(std::string text) {
    alternatives_ = std::move(text);
    return *this;
  }
  /// Valid from and to so many days from now; by default -1 and 30.
  CertificateSpec& days(int from, int to) {
    from_ = from;
    to_ = to;
    return *this;
  }
  /// "serverAuth", the default, or "clientAuth".
  CertificateSpec& usage(std::string text) {
    usage_ = std::move(text);
    return *this;
  }
  /// An RSA key of so many bits instead of an EC key.
  CertificateSpec& rsa(unsigned bits) {
    rsa_bits_ = bits;
    return *this;
  }
  CertificateSpec& sha1() {
    sha1_ = true;
    return *this;
  }
  CertificateSpec& authority() {
    authority_ = true;
    return *this;
  }

 private:
  friend class Identity;
  std::string name_;
  std::string alternatives_;
  std::string usage_ = "serverAuth";
  int from_ = -1;
  int to_ = 30;
  unsigned rsa_bits_ = 0;
  bool sha1_ = false;
  bool authority_ = false;
};

/// A certificate and its key, with PEM files of both.
class Identity {
 public:
  /// Signed by itself.
  Identity(const Folder& folder, const CertificateSpec& spec);
  /// Signed by `issuer`; unless that is a root its certificate follows in `certfile`.
  Identity(const Folder& folder, const CertificateSpec& spec, const Identity& issuer,
           bool with_issuer = false);

  /// A PEM revocation list of this authority that names `revoked`.
  std::string revocation_list(const std::vector<const Identity*>& revoked) const;
  /// The key in PEM, encrypted.
  std::string encrypted_key(const std::string& password) const;
  std::string certificate_pem() const;
  std::string key_pem() const;

  std::string certfile;
  std::string keyfile;

 private:
  struct Free {
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  };

  void make(const CertificateSpec& spec, X509* issuer, EVP_PKEY* issuer_key);
  void write(const Folder& folder, const std::string& name, const std::string& chain);

  std::unique_ptr<X509, Free> certificate_;
  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace test
