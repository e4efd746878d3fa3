// SPDX-License-Identifier: BSL-1.0
/// What a server remembers of a visitor: aiohttp_session.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/http/multi_dict.hpp"
#include "asyncio/web/handler.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::web {

/// The values of a visitor. What changes them is kept when the response is sent.
///
/// asyncio  aiohttp_session: Session
class Session {
 public:
  Session() = default;
  /// One that a storage has found.
  Session(std::string identity, http::MultiDict values)
      : identity_(std::move(identity)), values_(std::move(values)) {}

  std::optional<std::string_view> get(std::string_view name) const noexcept {
    return values_.get(name);
  }
  void set(std::string_view name, std::string value) {
    values_.set(name, std::move(value));
    changed_ = true;
  }
  void remove(std::string_view name) { changed_ |= values_.remove(name) > 0; }
  /// Forgets all of it; the visitor is a new one from now on.
  void invalidate() {
    values_ = {};
    changed_ = invalid_ = true;
  }

  /// Under which the storage knows it; empty for a new one.
  const std::string& identity() const noexcept { return identity_; }
  const http::MultiDict& values() const noexcept { return values_; }
  bool is_new() const noexcept { return identity_.empty(); }
  bool is_changed() const noexcept { return changed_; }
  bool is_invalid() const noexcept { return invalid_; }

 private:
  std::string identity_;
  http::MultiDict values_;
  bool changed_ = false;
  bool invalid_ = false;
};

/// Where sessions are kept: derive from it for a database, say.
///
/// asyncio  aiohttp_session: AbstractStorage
class SessionStorage {
 public:
  SessionStorage() = default;
  SessionStorage(const SessionStorage&) = delete;
  SessionStorage& operator=(const SessionStorage&) = delete;
  virtual ~SessionStorage() = default;

  /// The visitor's session; a new one if there is none.
  virtual Coro<Session> load(Request& request) = 0;
  /// Called for a session that has changed, before the response is sent; where that was sent
  /// piece by piece, behind it: then no cookie can be set any more.
  virtual Coro<> save(Request& request, Response& response, const Session& session) = 0;
};

/// A middleware with which handlers have a session.
///
/// asyncio  aiohttp_session: session_middleware
Middleware session_middleware(std::shared_ptr<SessionStorage> storage);

/// The visitor's session, as long as the request.
///
/// Throws   LookupError without the middleware.
/// asyncio  aiohttp_session: get_session
Session& get_session(Request& request);

/// How memory_sessions keeps them.
class MemorySessionOptions {
 public:
  MemorySessionOptions() {}

  /// The cookie's; "session".
  MemorySessionOptions& cookie_name(std::string name) {
    return cookie_name_ = std::move(name), *this;
  }
  /// After which time without a change a session is forgotten; a day.
  MemorySessionOptions& max_age(std::chrono::seconds age) { return max_age_ = age, *this; }
  /// How many are kept: the oldest make room; 100,000.
  MemorySessionOptions& max_sessions(std::size_t count) { return max_sessions_ = count, *this; }

  const std::string& get_cookie_name() const noexcept { return cookie_name_; }
  std::chrono::seconds get_max_age() const noexcept { return max_age_; }
  std::size_t get_max_sessions() const noexcept { return max_sessions_; }

 private:
  std::string cookie_name_ = "session";
  std::chrono::seconds max_age_ = std::chrono::hours(24);
  std::size_t max_sessions_ = 100'000;
};

/// Sessions in memory, which end with the process. The cookie has 128 random bits, is HttpOnly and
/// SameSite=Lax, and Secure where the request came over TLS. A visitor gets one with the first
/// value that is set.
///
/// Throws   OSError if the system has no random bytes, where a session is saved.
std::shared_ptr<SessionStorage> memory_sessions(MemorySessionOptions options = {});

}  // namespace asyncio::web
