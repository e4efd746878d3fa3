// SPDX-License-Identifier: BSL-1.0
/// An exchange that has a connection for itself: Http1Channel.
#pragma once

#include "http/client_channel.hpp"
#include "http/connector.hpp"

#include <memory>
#include <string>
#include <utility>

namespace asyncio::http::detail {

class Http1Channel final : public ClientChannel {
 public:
  Http1Channel(std::shared_ptr<Connector> connector, std::shared_ptr<ClientConnection> connection)
      : connector_(std::move(connector)),
        connection_(std::move(connection)),
        is_reused_(connection_->reused) {}
  ~Http1Channel() override { abort(); }

  void send(const ClientRequest& request) override;
  Coro<> send_piece(std::string piece) override;
  Coro<> send_end() override;
  bool sending() const noexcept override { return connection_->writer.get_write_buffer_size() > 0; }

  Parsed next_buffered() override { return connection_->input.next_buffered(); }
  Coro<std::size_t> more(OptionalDelay limit) override;
  Event finish() override { return connection_->parser.finish(); }
  ResponseHead& head() noexcept override { return connection_->parser.head(); }

  bool is_silent() const noexcept override { return !connection_->parser.in_message(); }
  bool is_refused() const noexcept override { return false; }
  bool is_reused() const noexcept override { return is_reused_; }

  void break_off() noexcept override {
    if (connection_) connection_->writer.abort();
  }
  void release(bool reusable) override;
  void abort() noexcept override;

 private:
  StreamWriter writer() const;

  std::shared_ptr<Connector> connector_;
  std::shared_ptr<ClientConnection> connection_;
  bool is_reused_;
  bool chunked_ = false;
};

}  // namespace asyncio::http::detail
