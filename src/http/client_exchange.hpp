// SPDX-License-Identifier: BSL-1.0
/// A request and its response on one connection.
#pragma once

#include "asyncio/http/client.hpp"
#include "http/compression.hpp"
#include "http/connector.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// What is sent.
struct ClientRequest {
  RequestHead head;
  URL url;
  std::string body;
  ClientTimeout timeout;
  std::optional<TimePoint> deadline;  // of it all
  bool auto_decompress = true;
};

/// Owns the connection until the response has ended.
class ClientExchange {
 public:
  ClientExchange(std::shared_ptr<Connector> connector, std::unique_ptr<ClientConnection> connection,
                 const ClientRequest& request)
      : connector_(std::move(connector)),
        connection_(std::move(connection)),
        method_(request.head.method),
        url_(request.url),
        timeout_(request.timeout),
        deadline_(request.deadline),
        auto_decompress_(request.auto_decompress) {}
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;

  /// Sends the request and reads the head of the response.
  /// Throws: ServerDisconnectedError if no byte of it came.
  Coro<> start(const ClientRequest& request);

  Coro<std::string> read_some();
  Coro<std::string> read(std::size_t limit);
  /// Reads what is left if that is little, so that the connection can be used again.
  Coro<> discard();
  void close() noexcept { connection_.reset(); }

  const ResponseHead& head() const noexcept { return head_; }
  const URL& url() const noexcept { return url_; }
  const Method& method() const noexcept { return method_; }
  std::vector<ClientResponse>& history() noexcept { return history_; }

 private:
  Coro<Parsed> next();
  OptionalDelay time_left() const;
  std::string decode(std::string_view& input);
  void finish();
  [[noreturn]] void fail(const std::exception_ptr& error, bool in_body);

  std::shared_ptr<Connector> connector_;
  std::unique_ptr<ClientConnection> connection_;
  Method method_;
  URL url_;
  ClientTimeout timeout_;
  std::optional<TimePoint> deadline_;
  bool auto_decompress_;
  ResponseHead head_;
  std::vector<ClientResponse> history_;
  std::optional<Decompressor> decompressor_;
  std::string_view undecoded_;  // in the connection's buffer
  std::optional<std::string> body_;
};

}  // namespace asyncio::http::detail
