// SPDX-License-Identifier: BSL-1.0
/// The server's end of an HTTP/1 connection: requests come in one after another and are answered in
/// that order.
#pragma once

#include "asyncio/result.hpp"
#include "http/deadline.hpp"
#include "http/message_input.hpp"
#include "http/served_connection.hpp"
#include "http/server_exchange.hpp"
#include "http/spare_parsers.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

class ServerConnection final : public ServerExchange,
                               public ServedConnection,
                               private Deadline::Owner {
 public:
  ServerConnection(StreamReader reader, StreamWriter writer, const ServerSettings& settings,
                   const WebHandler& handler);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  Coro<> serve() override;
  /// Says that there is no room for it.
  Coro<> turn_away() override;
  /// Ends it if it is between requests.
  void stop() override;

  Coro<std::string_view> read_body() override;
  Coro<> begin_stream(const web::Response& response, std::optional<std::uint64_t> length) override;
  Coro<> write_stream(std::string_view data) override;
  Coro<> end_stream() override;
  Coro<> send_file(const web::Response& response, File file, std::uint64_t begin,
                   std::uint64_t size) override;
  Coro<> switch_protocols(const ResponseHead& response) override;
  const StreamReader& reader() const noexcept override { return input_.reader(); }

 private:
  bool has_gone() const noexcept override { return writer_.is_closing(); }

  enum class Waiting : unsigned char { for_request, for_head, for_body, for_client };

  /// Of the request.
  Version version() const noexcept { return parser_ ? parser_->head().version : Version::http_1_1; }

  bool take_head();
  Coro<> wait_for_head();
  Coro<bool> answer();
  Coro<> end_websocket();
  void answer_with(const web::Request& request, Result<web::Response>&& outcome);
  void begin_request(const RequestHead& head);
  Coro<Parsed> wait_for_body();
  Coro<> exchange();
  Coro<> close();
  Coro<> end_soon();
  void reset();
  void refuse(Status status);
  Coro<bool> drain_body();
  bool may_come_more() const noexcept;
  Coro<> linger(bool idly);
  void send(const web::Response& response, bool keep_alive, bool is_head);
  bool can_go_on() const noexcept;
  Coro<> drain();
  std::uint64_t bytes_taken() const noexcept;
  void count_sent(std::size_t size) noexcept;
  void expired() override;
  void expect_progress();

  std::unique_ptr<RequestParser> parser_;  // none between requests
  std::unique_ptr<RequestHead> head_;      // of the request that has switched protocols
  MessageInput input_;
  Deadline deadline_;
  Waiting waiting_ = Waiting::for_request;
  bool has_head_ = false;  // of the request that is being read, or answered
  bool expired_ = false;
  bool lingers_ = false;
  bool lingers_idly_ = false;  // has read nothing
  bool until_close_ = false;   // the response ends with the connection
  bool chunked_ = false;
  bool asks_to_stay_ = false;  // the client, by the request
  bool keeps_alive_ = true;
  std::size_t unsent_ = 0;  // when the client was last seen to take something; 0 when it has all
  std::size_t requests_ = 0;
};

}  // namespace asyncio::http::detail
