// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace asyncio::detail {

struct FreeSession {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeSession>;

/// The sessions that a client's context may resume, one for each peer, the latest used 256.
///
/// Thread   any.
class TlsSessionCache {
 public:
  static constexpr std::size_t kCapacity = 256;

  /// The settings under which sessions were verified have changed: none of them counts any more.
  void forget_all();
  /// Tells the settings of now from those before.
  unsigned generation() const;

  /// Keeps a session that was made under the settings of `generation`.
  void put(const std::string& peer, unsigned generation, SessionPtr session);
  /// Gives the session away: a ticket is used once, so that nobody who listens can tell that two
  /// connections are the same client's (RFC 8446, C.4).
  SessionPtr take(const std::string& peer);

 private:
  using Entry = std::pair<std::string, SessionPtr>;

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the latest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_peer_;
  unsigned generation_ = 0;
};

}  // namespace asyncio::detail
