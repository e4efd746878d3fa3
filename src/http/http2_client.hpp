// SPDX-License-Identifier: BSL-1.0
/// A client's connection of HTTP/2, and the exchanges on it.
#pragma once

#include "asyncio/eventloop.hpp"
#include "asyncio/future.hpp"
#include "asyncio/handle.hpp"
#include "http/connector.hpp"
#include "http/http2_connection.hpp"
#include "http/shared_connection.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace asyncio::http::detail {

/// Counts those who have it, and those of them who wait until the server takes one request more.
/// The last one to go gives it back to the connector.
///
/// While somebody has it, a server that has been silent for a while is asked whether it is there.
class Http2Client final : public SharedConnection,
                          public std::enable_shared_from_this<Http2Client> {
 public:
  Http2Client(const std::shared_ptr<Connector>& connector, ConnectionKey to, Streams streams,
              const HttpLimits& limits);
  ~Http2Client() override;
  /// Begins to read.
  void start();

  Coro<std::shared_ptr<ClientChannel>> open() override;
  void retire() override;
  bool is_stale() const noexcept override;

  Http2Connection& link() noexcept { return *link_; }
  const std::shared_ptr<Http2Connection>& shared_link() const noexcept { return link_; }
  Http2Session& session() noexcept { return link_->session(); }
  /// A request that was sent is given up: of a server that has said nothing since nothing more is
  /// expected.
  void give_up(TimePoint sent_at) noexcept;
  /// To be called when a request was sent.
  void watch();

  bool was_used = false;  // for a request

  /// A user, who may make one request if `open` has said so.
  class User {
   public:
    explicit User(std::shared_ptr<Http2Client> client) : client_(std::move(client)) {
      ++client_->users_;
    }
    User(const User&) = delete;
    User& operator=(const User&) = delete;
    ~User() { client_->leave(has_room); }

    Http2Client& client() const noexcept { return *client_; }
    void use_room() noexcept {
      has_room = false;
      --client_->promised_;
    }

    bool has_room = false;

   private:
    std::shared_ptr<Http2Client> client_;
  };

 private:
  bool has_room() noexcept;
  void leave(bool had_room) noexcept;
  void rest();
  void received();
  void grant();
  void check();

  std::weak_ptr<Connector> connector_;
  std::shared_ptr<Http2Connection> link_;
  EventLoop loop_;
  std::list<Future<bool>> waiters_;
  std::size_t users_ = 0;
  std::size_t promised_ = 0;  // rooms of users who have not made their requests yet
  bool retired_ = false;
  TimePoint heard_at_;
  TimePoint asked_at_{};  // with a ping
  std::optional<TimerHandle> watching_;
};

/// A stream.
class Http2Channel final : public ClientChannel {
 public:
  explicit Http2Channel(std::unique_ptr<Http2Client::User> user) : user_(std::move(user)) {}
  ~Http2Channel() override { abort(); }

  void send(const ClientRequest& request) override;
  Coro<> send_piece(std::string piece) override;
  Coro<> send_end() override;
  bool sending() const noexcept override;

  Parsed next_buffered() override;
  Coro<std::size_t> more(OptionalDelay limit) override;
  Event finish() override { return Event::end; }
  ResponseHead& head() noexcept override { return stream_->response; }

  bool is_silent() const noexcept override { return !stream_ || !stream_->has_head(); }
  bool is_refused() const noexcept override;
  bool is_reused() const noexcept override { return was_used_; }

  void break_off() noexcept override;
  void release(bool reusable) override;
  void abort() noexcept override;

 private:
  Coro<std::size_t> readable();
  Http2Client& client() const noexcept { return user_->client(); }
  std::shared_ptr<Http2Connection> link() const;

  std::unique_ptr<Http2Client::User> user_;  // null after the end
  std::shared_ptr<Http2Stream> stream_;      // null until `send`
  std::string piece_;                        // of the body
  TimePoint sent_at_{};
  bool was_used_ = false;
  bool has_told_head_ = false;
};

}  // namespace asyncio::http::detail
