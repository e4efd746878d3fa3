// SPDX-License-Identifier: BSL-1.0
/// The server's end of an HTTP/1 connection: requests come in one after another and are answered in
/// that order.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/files.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/time.hpp"
#include "asyncio/web/access_log.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"
#include "http/deadline.hpp"
#include "http/message_input.hpp"
#include "http/request_parser.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

class WebSocketState;

using WebHandler = std::function<Coro<web::Response>(web::Request&)>;

struct ServerSettings {
  HttpLimits limits;
  Delay keepalive_timeout = std::chrono::seconds(75);
  /// For a request's head from its first byte on.
  Delay head_timeout = std::chrono::seconds(30);
  /// Between two parts of a body, or of a response that the client reads.
  Delay progress_timeout = std::chrono::seconds(60);
  std::size_t client_max_size = std::size_t{1} << 20;
  /// In bytes a second, when the progress timeout is over; 0 is any.
  std::size_t min_body_rate = 240;
  /// Requests of one connection; 0 is any number.
  std::size_t keepalive_requests = 0;
  web::AccessLogger access_log;
  /// Every answer is the last of its connection.
  bool is_stopping = false;
};

/// Shared with what a handler may keep for longer than it runs.
class ServerConnection : public std::enable_shared_from_this<ServerConnection> {
 public:
  ServerConnection(StreamReader reader, StreamWriter writer, const ServerSettings& settings,
                   const WebHandler& handler);
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  /// Until the connection ends.
  Coro<> serve();
  /// Says that there is no room for it.
  Coro<> turn_away();
  /// Ends it if it is between requests.
  void stop_if_idle();

  /// For the request that is being answered: the next part of its body; empty at the end.
  Coro<std::string_view> read_body();
  /// Sends the head of a response whose body follows; of unknown length without one.
  Coro<> begin_stream(const web::Response& response, std::optional<std::uint64_t> length);
  Coro<> write_stream(std::string_view data);
  Coro<> end_stream();
  /// A whole response whose body is in a file.
  Coro<> send_file(const web::Response& response, File file, std::uint64_t begin,
                   std::uint64_t size);
  /// The connection goes on in another protocol, and ends with the handler.
  Coro<> switch_protocols(const ResponseHead& response);
  /// The other protocol, to which a handler owes a goodbye.
  void set_websocket(std::shared_ptr<WebSocketState> websocket) noexcept {
    websocket_ = std::move(websocket);
  }

  /// Whether a handler runs.
  bool is_handling() const noexcept { return handling_; }
  const ServerSettings& settings() const noexcept { return settings_; }
  const StreamReader& reader() const noexcept { return input_.reader(); }
  const StreamWriter& writer() const noexcept { return writer_; }

 private:
  enum class Waiting : unsigned char { for_request, for_head, for_body, for_client };

  Coro<bool> read_head();
  Coro<bool> answer();
  Coro<web::Response> respond(web::Request& request);
  void log_access(const web::Request& request, TimePoint began) const;
  void log_refusal();
  void begin_request(const RequestHead& head);
  Coro<Parsed> wait_for_body();
  Coro<> exchange();
  Coro<> close();
  Coro<> end_soon();
  void reset();
  void check_answer(const web::Response& response) const;
  web::Response answer_to_failure(const web::Request& request, std::exception_ptr error) const;
  bool is_end_of_connection(const std::exception_ptr& error) const;
  std::optional<Status> answer_to(const std::exception_ptr& error) const;
  void refuse(Status status);
  Coro<bool> drain_body();
  Coro<> linger();
  void send(const web::Response& response, bool keep_alive, bool is_head);
  bool can_go_on() const noexcept;
  Coro<> drain();
  void expired();
  void expect_progress();

  StreamWriter writer_;
  const ServerSettings& settings_;
  const WebHandler& handler_;
  RequestParser parser_;
  MessageInput input_;
  Deadline deadline_;
  Waiting waiting_ = Waiting::for_request;
  bool handling_ = false;
  bool has_head_ = false;  // of the request that is being read, or answered
  bool expired_ = false;
  bool body_ended_ = true;
  bool continue_due_ = false;
  bool is_head_ = false;    // the request: its response has no body
  bool head_sent_ = false;  // of the response
  bool stream_ended_ = false;
  bool until_close_ = false;  // the response ends with the connection
  bool chunked_ = false;
  bool keeps_alive_ = true;
  std::shared_ptr<WebSocketState> websocket_;
  std::exception_ptr input_error_;     // after which nothing can be read
  std::optional<std::uint64_t> left_;  // of a streamed response, if it has a length
  Status status_ = Status::OK;         // of the response
  std::size_t unsent_ = 0;             // when the client was last seen to take something
  std::uint64_t body_sent_ = 0;
  std::uint64_t body_received_ = 0;
  std::chrono::duration<double> body_waited_{};
  std::size_t requests_ = 0;
};

}  // namespace asyncio::http::detail
