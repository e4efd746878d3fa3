// SPDX-License-Identifier: BSL-1.0
/// One request to the server, as often as it needs.
#pragma once

#include "vectordb/client/options.hpp"
#include "vectordb/client/wire.hpp"
#include <asyncio/http/client.hpp>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

namespace vectordb {

/// A request. `subject` is what errors begin with: "search 'documents'".
class Call {
 public:
  Call(std::string about, asyncio::http::Method verb, std::string target)
      : subject(std::move(about)), method(verb), path(std::move(target)) {}

  /// Throws: InvalidArgument that names the member whose text is not UTF-8.
  Call& with_body(const nlohmann::json& value) { return body = wire::text_of(value), *this; }
  Call& with_text(std::string json) { return body = std::move(json), *this; }
  /// Doing it twice is not as good as once, or says something else the second time.
  Call& only_once() { return repeatable = false, *this; }
  /// An attempt takes no longer, though ClientOptions::timeout may be more.
  Call& within(asyncio::Delay most) { return limit = most, *this; }

  std::string subject;
  asyncio::http::Method method;
  std::string path;  // below the server's address, percent-encoded; perhaps with a query
  std::optional<std::string> body;
  bool repeatable = true;
  asyncio::Delay limit = asyncio::Delay::never();
};

/// A session with one server.
///
/// Thread   the loop's.
class Transport {
 public:
  /// Throws   InvalidURL.
  Transport(const std::string& address, ClientOptions options);
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  /// Awaits   the answer; also of the attempts that follow a connection that could not be made or
  ///          was lost, and the statuses 429, 502, 503 and 504.
  /// Returns  the whole of it.
  /// Throws   ServiceError.
  /// Cancel   closes the connection.
  asyncio::Coro<nlohmann::json> call(Call call) const;
  void close() const { session_.close(); }

 private:
  class Answer;

  asyncio::Coro<Answer> attempt(const Call& call) const;
  asyncio::http::ClientTimeout timeout(const Call& call) const;
  bool may_repeat(const Call& call, const Answer& answer, int attempts) const noexcept;
  asyncio::Delay pause(int attempts, const Answer& answer) const;

  ClientOptions options_;
  std::string base_;  // what the paths follow
  asyncio::http::ClientSession session_;
};

}  // namespace vectordb
