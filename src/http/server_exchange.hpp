// SPDX-License-Identifier: BSL-1.0
/// A request as its handler sees it, whatever the version of HTTP: ServerExchange.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/files.hpp"
#include "asyncio/http/errors.hpp"
#include "asyncio/http/limits.hpp"
#include "asyncio/result.hpp"
#include "asyncio/streams.hpp"
#include "asyncio/time.hpp"
#include "asyncio/web/access_log.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {

class Encoder;
class SpareParsers;
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
  /// HTTP/2 without TLS, for clients that begin with its preface.
  bool http2_prior_knowledge = false;
  web::AccessLogger access_log;
  /// Every answer is the last of its connection.
  bool is_stopping = false;
  SpareParsers* parsers = nullptr;
};

/// Shared with what a handler may keep for longer than it runs.
class ServerExchange : public std::enable_shared_from_this<ServerExchange> {
 public:
  ServerExchange(const ServerExchange&) = delete;
  ServerExchange& operator=(const ServerExchange&) = delete;

  /// The next part of the request's body; empty at the end.
  virtual Coro<std::string_view> read_body() = 0;
  /// Sends the head of a response whose body follows; of unknown length without one.
  virtual Coro<> begin_stream(const web::Response& response,
                              std::optional<std::uint64_t> length) = 0;
  virtual Coro<> write_stream(std::string_view data) = 0;
  virtual Coro<> end_stream() = 0;
  /// A whole response whose body is in a file.
  virtual Coro<> send_file(const web::Response& response, File file, std::uint64_t begin,
                           std::uint64_t size) = 0;
  /// The connection goes on in another protocol, and ends with the handler.
  virtual Coro<> switch_protocols(const ResponseHead& response) = 0;
  virtual const StreamReader& reader() const noexcept = 0;
  /// The other protocol, to which a handler owes a goodbye.
  void set_websocket(std::shared_ptr<WebSocketState> websocket) noexcept {
    websocket_ = std::move(websocket);
  }

  /// Of the streamed response, until its end has been written; null without one.
  void set_encoder(std::shared_ptr<Encoder> encoder) noexcept { encoder_ = std::move(encoder); }

  /// Whether a handler runs.
  bool is_handling() const noexcept { return handling_; }
  /// Of the response, once its head is sent.
  Status status() const noexcept { return status_; }
  const ServerSettings& settings() const noexcept { return settings_; }
  const StreamWriter& writer() const noexcept { return writer_; }

 protected:
  ServerExchange(StreamWriter writer, const ServerSettings& settings, const WebHandler& handler)
      : writer_(std::move(writer)), settings_(settings), handler_(handler) {}
  virtual ~ServerExchange() = default;

  /// Whether nothing can be sent to the client any more.
  virtual bool has_gone() const noexcept = 0;

  /// What a handler throws that is no coroutine itself is thrown when it is awaited.
  Coro<web::Response> call_handler(web::Request& request);
  /// What is to be sent, unless the handler has.
  /// Throws: what ends the connection, or the stream, instead of an answer.
  web::Response answer_of(const web::Request& request, Result<web::Response>&& outcome);
  /// Ends a streamed response whose handler has returned without that.
  Coro<> finish_stream(const web::Request& request);
  void log_access(const web::Request& request, TimePoint began, std::uint64_t bytes) const;
  /// Of a request that ends with this error, unless its answer is yet to come, or there is no log.
  void log_end(const web::Request& request, TimePoint began, std::uint64_t bytes,
               const std::exception_ptr& error);
  /// What a client gets that has sent nonsense or nothing for too long; nothing if it has gone.
  static std::optional<Status> answer_to(const std::exception_ptr& error);
  /// The answer to what cannot be read any further.
  static web::Response refusal(Status status);
  /// Tells the access log that it was given, if there is one. The head is null if it is not whole.
  void log_refusal(RequestHead* head, Version version);
  /// Throws: RuntimeError if an answer has begun.
  void check_unanswered() const;
  /// How much longer the next part of the body may take: each has its deadline, and all have one
  /// that grows with what has come.
  std::chrono::nanoseconds patience() const noexcept;
  /// Of a streamed response.
  /// Throws: ValueError for more than its length, or at the end for less.
  void count_written(std::size_t size);
  void check_written() const;

  const StreamWriter writer_;
  const ServerSettings& settings_;
  const WebHandler& handler_;
  bool handling_ = false;
  bool body_ended_ = true;
  bool continue_due_ = false;
  bool is_head_ = false;    // the request: its response has no body
  bool head_sent_ = false;  // of the response
  bool stream_ended_ = false;
  bool owes_end_ = false;              // of a stream: its handler has not written it
  Status status_ = Status::OK;         // of the response
  std::exception_ptr input_error_;     // after which nothing can be read
  std::optional<std::uint64_t> left_;  // of a streamed response, if it has a length
  std::uint64_t body_sent_ = 0;
  std::uint64_t body_received_ = 0;
  std::chrono::duration<double> body_waited_{};
  std::shared_ptr<Encoder> encoder_;           // of a stream that has not ended
  std::shared_ptr<WebSocketState> websocket_;  // if its handler has not ended well

 private:
  void check_answer(const web::Response& response) const;
  web::Response answer_to_failure(const web::Request& request, std::exception_ptr error) const;
  void log_failure(const web::Request& request, std::string_view what) const;
  bool is_end_of_connection(const std::exception_ptr& error) const;
};

/// RFC 9110, 10.1.1.
/// Throws: BadRequest for whatever else is expected: it cannot be met.
bool expects_continue(const RequestHead& head);

}  // namespace asyncio::http::detail
