// SPDX-License-Identifier: BSL-1.0
/// A request and its response.
#pragma once

#include "asyncio/http/client.hpp"
#include "asyncio/task.hpp"
#include "http/client_channel.hpp"
#include "http/content_decoder.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

/// How the sending of a body from a source is getting on.
struct Upload {
  bool done = false;
  std::exception_ptr error;  // of the source
};

/// Owns its channel until the response has ended.
class ClientExchange {
 public:
  using Ref = std::shared_ptr<ClientExchange>;

  ClientExchange(std::shared_ptr<ClientChannel> channel, const ClientRequest& request,
                 std::uint64_t max_body)
      : channel_(std::move(channel)),
        max_body_(max_body),
        method_(request.head.method),
        url_(request.url),
        timeout_(request.timeout),
        deadline_(request.deadline),
        auto_decompress_(request.auto_decompress),
        keep_alive_(request.head.keep_alive),
        traces_(request.traces) {}
  ClientExchange(const ClientExchange&) = delete;
  ClientExchange& operator=(const ClientExchange&) = delete;
  ~ClientExchange() { release(); }

  /// Sends the request and reads the head of the response.
  /// Throws: ServerDisconnectedError if no byte of it came.
  static Coro<> start(Ref self, const ClientRequest& request);

  static Coro<std::string> read_some(Ref self);
  static Coro<std::string> read_part(Ref self, std::size_t count);
  static Coro<std::string> read_line(Ref self, std::size_t limit);
  static Coro<std::string> read(Ref self, std::size_t limit);
  /// Reads what is left if that is little, so that the connection can be used again.
  static Coro<> discard(Ref self);
  void close() noexcept { drop(); }

  const ResponseHead& head() const noexcept { return head_; }
  const URL& url() const noexcept { return url_; }
  const Method& method() const noexcept { return method_; }
  std::vector<ClientResponse>& history() noexcept { return history_; }

 private:
  void send(const ClientRequest& request);
  Coro<std::size_t> more();
  Coro<> read_head();
  void take_head();
  void finish_with_head();
  bool fill_buffered();
  void take_body(const Parsed& parsed);
  static Coro<> fill(Ref self);
  OptionalDelay time_left(TimePoint now) const;
  bool sending() const noexcept;
  void decode();
  void finish();
  void release() noexcept;
  void drop() noexcept;
  std::string what() const;
  [[noreturn]] void fail(const std::exception_ptr& error, bool in_body);

  std::shared_ptr<ClientChannel> channel_;  // null after the end, and after `drop`
  std::uint64_t max_body_;
  Method method_;
  URL url_;
  ClientTimeout timeout_;
  std::optional<TimePoint> deadline_;
  bool auto_decompress_;
  bool keep_alive_;        // we have not said that it is the last request
  bool informed_ = false;  // an informational response has come
  bool answered_ = false;  // `head_` is there
  bool ended_ = false;
  bool reading_ = false;
  Traces traces_;
  ResponseHead head_;
  std::vector<ClientResponse> history_;
  std::shared_ptr<Upload> upload_;
  std::optional<Task<>> uploading_;
  ContentDecoder decoder_;
  std::string_view undecoded_;  // in the channel's buffer
  std::string ready_;           // decoded and not read
  std::size_t ready_at_ = 0;
  std::optional<std::string> body_;
};

}  // namespace asyncio::http::detail
