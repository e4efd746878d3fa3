// SPDX-License-Identifier: BSL-1.0
// Texts follow Modules/_ssl.c, fill_and_set_sslerror.
#include "tls_errors.hpp"

#include "asyncio/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cctype>
#include <utility>

namespace asyncio {

namespace {

/// As ssl.SSLErrorNumber; OpenSSL has no number for the last one.
constexpr int kErrorSsl = SSL_ERROR_SSL;
constexpr int kErrorEof = 8;

class SslCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "ssl"; }
  std::string message(int code) const override {
    return code == kErrorEof ? "EOF occurred in violation of protocol" : "TLS error";
  }
};

const std::error_category& ssl_category() {
  static const SslCategory& category = *new SslCategory;  // errors may outlive static objects
  return category;
}

std::string full_text(const std::string& during, const std::string& library,
                      const std::string& reason, const std::string& text) {
  std::string full = during.empty() ? "" : during + ": ";
  if (!library.empty()) full += "[" + library + (reason.empty() ? "" : ": " + reason) + "] ";
  return full + text;
}

}  // namespace

SSLError::SSLError(int code, const std::string& during, std::string library, std::string reason,
                   const std::string& text)
    : OSError(std::error_code(code, ssl_category()), during),
      text_(std::make_shared<std::string>(full_text(during, library, reason, text))),
      facts_(std::make_shared<std::pair<std::string, std::string>>(std::move(library),
                                                                   std::move(reason))) {}

SSLError::SSLError(const std::string& during, std::string library, std::string reason,
                   const std::string& text)
    : SSLError(kErrorSsl, during, std::move(library), std::move(reason), text) {}

SSLError::~SSLError() = default;

SSLCertVerificationError::SSLCertVerificationError(const std::string& during, long code,
                                                   const std::string& message)
    : SSLError(kErrorSsl, during, "SSL", "CERTIFICATE_VERIFY_FAILED",
               "certificate verify failed: " + message),
      code_(code),
      message_(std::make_shared<std::string>(message)) {}

SSLCertVerificationError::~SSLCertVerificationError() = default;

SSLEOFError::SSLEOFError(const std::string& during)
    : SSLError(kErrorEof, during, "SSL", "UNEXPECTED_EOF_WHILE_READING",
               "EOF occurred in violation of protocol") {}

SSLEOFError::~SSLEOFError() = default;

namespace detail {

namespace {

std::string text_of(const char* text) { return text ? text : ""; }

/// "wrong version number" as Python has it in `reason`: WRONG_VERSION_NUMBER.
std::string mnemonic(const std::string& reason) {
  std::string name;
  for (char c : reason) {
    auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name;
}

/// "SSL routines" and "x509 certificate routines" as Python has them in `library`: SSL and X509.
std::string short_library(const std::string& name) {
  return mnemonic(name.substr(0, name.find(' ')));
}

}  // namespace

std::exception_ptr take_ssl_error(const std::string& during) {
  unsigned long first = ERR_peek_error();
  unsigned long last = ERR_peek_last_error();
  ERR_clear_error();
  if (last == 0) return std::make_exception_ptr(SSLError(during, "", "", "unknown error"));
  if (ERR_SYSTEM_ERROR(first)) return make_os_error(ERR_GET_REASON(first), during);
  std::string reason = text_of(ERR_reason_error_string(last));
  if (reason.empty()) reason = "error " + std::to_string(ERR_GET_REASON(last));
  return std::make_exception_ptr(SSLError(
      during, short_library(text_of(ERR_lib_error_string(last))), mnemonic(reason), reason));
}

void throw_ssl_error(const std::string& during) { std::rethrow_exception(take_ssl_error(during)); }

}  // namespace detail

}  // namespace asyncio
