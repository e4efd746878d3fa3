// SPDX-License-Identifier: BSL-1.0
/// A stream of HTTP/2 that a handler answers: Http2Exchange.
#pragma once

#include "asyncio/coro.hpp"
#include "http/http2_connection.hpp"
#include "http/server_exchange.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

class Http2Exchange final : public ServerExchange {
 public:
  Http2Exchange(std::shared_ptr<Http2Connection> connection, std::shared_ptr<Http2Stream> stream,
                const ServerSettings& settings, const WebHandler& handler);

  /// Until the stream has ended.
  /// Throws: only what ends a task.
  Coro<> serve();

  Coro<std::string_view> read_body() override;
  Coro<> begin_stream(const web::Response& response, std::optional<std::uint64_t> length) override;
  Coro<> write_stream(std::string_view data) override;
  Coro<> end_stream() override;
  Coro<> send_file(const web::Response& response, File file, std::uint64_t begin,
                   std::uint64_t size) override;
  /// Throws: HTTP/2 has no such thing.
  Coro<> switch_protocols(const ResponseHead& response) override;
  const StreamReader& reader() const noexcept override { return connection_->reader(); }

 private:
  bool has_gone() const noexcept override { return stream_->closed(); }

  Coro<> answer();
  void answer_with(const web::Request& request, Result<web::Response>&& outcome);
  std::uint64_t bytes_taken() const noexcept;
  Coro<> linger();
  Coro<std::string> wait_for_body();
  void send_head(const web::Response& response, std::optional<std::uint64_t> length, bool has_body);
  void send(const web::Response& response);
  void refuse(Status status);
  Coro<> write(std::string_view data);
  enum class Until { room, sent };
  Coro<> client_takes(Until until);

  const std::shared_ptr<Http2Connection> connection_;
  const std::shared_ptr<Http2Stream> stream_;
  std::string part_;  // of the body: what the handler has
};

}  // namespace asyncio::http::detail
