// SPDX-License-Identifier: BSL-1.0
#include "http/server_exchange.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "asyncio/web/exceptions.hpp"
#include "http/characters.hpp"
#include "http/compression.hpp"
#include "http/response_coding.hpp"
#include "http/response_head.hpp"
#include "http/websocket_state.hpp"

#include <string>

namespace asyncio::http::detail {

namespace {

Coro<web::Response> failed_with(std::exception_ptr error) {
  if (error) std::rethrow_exception(error);
  co_return web::Response();
}

/// nginx's, for a client that has gone before there was an answer.
constexpr Status kNoAnswer = 499;

/// Whether the task that answers was itself cancelled. A handler may also throw what another task
/// that it waited for has ended with.
bool is_cancelled() {
  std::optional<TaskHandle> task = current_task();
  return !task || task->cancelling() > 0;
}

}  // namespace

bool expects_continue(const RequestHead& head) {
  std::optional<std::string_view> expected = head.headers.get("Expect");
  if (!expected || head.version < Version::http_1_1) return false;
  if (equal_without_case(trimmed(*expected), "100-continue")) return true;
  throw BadRequest(Status::EXPECTATION_FAILED, "request: it expects what no server can give", 0);
}

Coro<web::Response> ServerExchange::call_handler(web::Request& request) {
  handling_ = true;
  try {
    return handler_(request);
  } catch (...) {  // becomes the outcome
    return failed_with(std::current_exception());
  }
}

web::Response ServerExchange::answer_of(const web::Request& request,
                                        Result<web::Response>&& outcome) {
  handling_ = false;
  std::exception_ptr error;
  try {
    web::Response response = std::move(outcome).value();
    check_answer(response);
    if (head_sent_ && !response.is_sent())
      log_failure(request, "the handler has returned a response behind the one that it has begun");
    owes_end_ = response.is_sent() && !stream_ended_ && status_ != Status::SWITCHING_PROTOCOLS;
    if (response.compresses()) compress_body(request.headers(), response);
    websocket_.reset();
    return response;
  } catch (const CancelledError&) {
    if (is_cancelled()) {  // the end of the connection, or of the server
      if (websocket_) websocket_->leave(WSCloseCode::GoingAway);
      throw;
    }
    error = std::current_exception();
  } catch (const BaseException&) {  // the end of the program
    if (websocket_) websocket_->leave(WSCloseCode::GoingAway);
    throw;
  } catch (...) {  // whatever else it throws is an answer
    error = std::current_exception();
  }
  return answer_to_failure(request, error);
}

/// Throws for what cannot be sent as it is.
void ServerExchange::check_answer(const web::Response& response) const {
  if (head_sent_) return;
  if (response.is_sent()) throw RuntimeError("the handler has returned, and answered nothing");
  check_whole_response(response, is_head_);
}

/// Whether it tells only that the client has gone.
bool ServerExchange::is_end_of_connection(const std::exception_ptr& error) const {
  if (error == reader().exception()) return true;
  try {
    std::rethrow_exception(error);
  } catch (const ConnectionError&) {
    return true;
  } catch (...) {  // Only asks for the type.
    return false;
  }
}

/// What the client gets when the handler has thrown. The log has the rest: what is in it from the
/// client shows no control character.
web::Response ServerExchange::answer_to_failure(const web::Request& request,
                                                std::exception_ptr error) const {
  try {
    std::rethrow_exception(error);
  } catch (const web::HTTPException& answer) {
    try {
      check_answer(answer.response());
      if (!head_sent_) return answer.response();
    } catch (const ValueError&) {
      error = std::current_exception();
    }
  } catch (...) {  // looked at below
  }
  if (input_error_) std::rethrow_exception(input_error_);
  if (has_gone() && is_end_of_connection(error)) std::rethrow_exception(error);
  log_failure(request, describe_exception(error));
  web::Response response(Status::INTERNAL_SERVER_ERROR);
  response.text("500: Internal Server Error");
  return response;
}

void ServerExchange::log_failure(const web::Request& request, std::string_view what) const {
  log(LogLevel::error, "Error handling request " + std::string(request.method().str()) + " " +
                           escaped(request.raw_path()) + ": " + escaped(what, QuotesInside::Kept));
}

Coro<> ServerExchange::finish_stream(const web::Request& request) {
  owes_end_ = false;
  try {
    if (std::shared_ptr<Encoder> last = std::exchange(encoder_, nullptr)) {
      std::string coded;
      last->encode({}, Flush::End, coded);
      co_await write_stream(coded);
    }
    co_await end_stream();
  } catch (const ValueError& error) {  // the connection ends, as that is how the client learns it
    log_failure(request, error.what());
  }
}

void ServerExchange::log_end(const web::Request& request, TimePoint began, std::uint64_t bytes,
                             const std::exception_ptr& error) {
  if (!settings_.access_log || (!head_sent_ && !has_gone() && answer_to(error))) return;
  if (!head_sent_) status_ = kNoAnswer;
  log_access(request, began, bytes);
}

void ServerExchange::log_access(const web::Request& request, TimePoint began,
                                std::uint64_t bytes) const {
  try {
    settings_.access_log(
        web::AccessRecord(request, status_, bytes, get_running_loop().time() - began));
  } catch (const std::exception& error) {
    log(LogLevel::error, std::string("The access log has failed: ") + error.what());
  }
}

std::optional<Status> ServerExchange::answer_to(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const BadRequest& refused) {
    return refused.status();
  } catch (const TimeoutError&) {
    return Status::REQUEST_TIMEOUT;
  } catch (...) {  // the end of the connection, or of the server
  }
  return std::nullopt;
}

web::Response ServerExchange::refusal(Status status) {
  web::Response response(status);
  response.text(std::to_string(status.code()) + ": " + std::string(status.phrase()));
  return response;
}

/// Of a request without a whole head nothing is known: aiohttp's words for it.
void ServerExchange::log_refusal(RequestHead* head, Version version) {
  if (!settings_.access_log) return;
  RequestHead unknown;
  unknown.method = Method("UNKNOWN");
  unknown.target = "/";
  unknown.version = version;
  web::Request request(head ? *head : unknown, *this);
  log_access(request, get_running_loop().time(), body_sent_);
}

void ServerExchange::check_unanswered() const {
  if (head_sent_) throw RuntimeError("the request was answered already");
}

std::chrono::nanoseconds ServerExchange::patience() const noexcept {
  const std::chrono::nanoseconds most = settings_.progress_timeout.duration();
  if (settings_.min_body_rate == 0) return most;
  std::chrono::duration<double> earned(static_cast<double>(body_received_) /
                                       static_cast<double>(settings_.min_body_rate));
  auto left = std::chrono::duration<double>(most) + earned - body_waited_;
  if (left >= most) return most;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(left);
}

void ServerExchange::count_written(std::size_t size) {
  if (left_ && *left_ < size)
    throw ValueError("StreamResponse: " + std::to_string(size) + " bytes, where " +
                     std::to_string(*left_) + " are left of its content_length");
  if (left_) *left_ -= size;
}

void ServerExchange::check_written() const {
  if (left_ && *left_ > 0 && !is_head_)
    throw ValueError("StreamResponse: " + std::to_string(*left_) +
                     " bytes of its content_length are missing");
}

}  // namespace asyncio::http::detail
