// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/tls.hpp"
#include "tls_context_state.hpp"

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::detail {

/// What carries the records of an engine to its peer.
class TlsCarrier {
 public:
  /// Takes all of it, sooner or later.
  virtual void send_record(std::string_view bytes) = 0;
  /// For the texts of errors: "127.0.0.1:443".
  virtual std::string peer_text() const = 0;

 protected:
  ~TlsCarrier() = default;
};

/// TLS itself, without input and output: bytes of the wire are fed to it, records that it makes go
/// to its carrier. So nothing in here ever waits.
///
/// OpenSSL is given whole records only. A buffer of it that holds part of one takes 17 KiB; here
/// the part waits in a string of its size, and an engine without unread input owns no buffer at
/// all.
class TlsEngine {
 public:
  /// As much plaintext as one record may carry.
  static constexpr std::size_t kRecord = 16 * 1024;

  enum class Progress : std::uint8_t { done, wants_input, failed };

  /// For a client `server_hostname` is what the certificate has to be for, and with `service` (the
  /// port) names the session to resume.
  TlsEngine(std::shared_ptr<TlsContextState> context, TlsCarrier& carrier,
            const std::string& server_hostname, const std::string& service);
  ~TlsEngine();
  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  /// Of a client, before the handshake: what ALPN offers if the context names nothing.
  /// Throws: SSLError unless each has 1 to 255 bytes.
  void offer(const std::vector<std::string>& protocols);

  Progress handshake();

  /// More bytes from the wire, which have to stay where they are until `keep`.
  void feed(std::string_view bytes);
  /// Copies what was fed and not read.
  void keep();
  void feed_eof() noexcept { eof_ = true; }
  /// Whether `read` may give anything but -EAGAIN.
  bool has_input() const noexcept {
    return whole_ > 0 || eof_ || failed() || peer_closed() || SSL_pending(ssl_.get()) > 0;
  }

  /// Whether there is part of a record.
  bool keeps_input() const noexcept { return !input_.empty(); }

  /// Plaintext: how many bytes; 0 after the peer's close_notify; -EAGAIN if more has to be fed;
  /// -EPROTO if it failed. Wants room for a record.
  std::int64_t read(std::span<char> room);
  /// Returns false if it failed.
  bool write(std::string_view data);
  /// Sends close_notify.
  void close();
  bool peer_closed() const noexcept {
    return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
  }

  /// The carrier gives up.
  void abandon(std::exception_ptr error) noexcept { error_ = std::move(error); }
  bool failed() const noexcept { return error_ != nullptr; }
  /// Why; once failed, nothing works any more.
  const std::exception_ptr& error() const noexcept { return error_; }
  /// Whether the error is what the user's SNI callback threw.
  bool callback_failed() const noexcept { return callback_failed_; }

  SSL* get() const noexcept { return ssl_.get(); }
  /// The one that a server's SNI callback chose, or what it was made with.
  const TlsContextState& context() const noexcept { return *context_; }

  // For OpenSSL's callbacks.
  static TlsEngine& of(const SSL* ssl) noexcept;
  static int client_hello(SSL* ssl, int* alert, void*);
  bool keep_session(SSL_SESSION* session);

 private:
  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  static BIO_METHOD* bio_method();
  static int bio_write(BIO* bio, const char* data, int size);
  static int bio_read(BIO* bio, char* room, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  void expect_host(const std::string& server_hostname);
  void resume_session(const std::string& name);
  int choose_context(std::string_view name, int* alert);
  void count_whole_records() noexcept;
  void fail(const char* during);
  std::exception_ptr verification_error(const std::string& during) const;

  std::shared_ptr<TlsContextState> first_context_;  // has the keys of the tickets
  std::shared_ptr<TlsContextState> context_;
  TlsCarrier& carrier_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string session_name_;
  unsigned session_generation_ = 0;
  std::string kept_;        // input that had to be copied
  std::string_view input_;  // what was not read: in kept_, or where `feed` said
  std::size_t whole_ = 0;   // so much of it are whole records
  bool eof_ = false;
  bool callback_failed_ = false;
  std::exception_ptr error_;
};

}  // namespace asyncio::detail
