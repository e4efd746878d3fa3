// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/detail/net/connection.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace asyncio::detail {

class DrainWait : public Waiter {
 public:
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept final { return AwaitableKind::stream_drain; }

 protected:
  explicit DrainWait(Ref<Connection> connection) noexcept : connection_(std::move(connection)) {}
  DrainWait(DrainWait&&) noexcept = default;
  ~DrainWait() = default;
  bool drained();

  Ref<Connection> connection_;

 private:
  bool may_resume() noexcept final;
  void wait_for_peer() noexcept;

  bool waited_ = false;
  bool cancelled_ = false;
};

class [[nodiscard("co_await it")]] Drain final : public DrainWait {
 public:
  explicit Drain(Ref<Connection> connection) noexcept : DrainWait(std::move(connection)) {}
  bool await_ready() { return drained(); }
};

/// Awaits that nothing is kept, on a connection that is sending a file.
class [[nodiscard("co_await it")]] DrainAll final : public DrainWait {
 public:
  explicit DrainAll(Ref<Connection> connection) noexcept : DrainWait(std::move(connection)) {}
  bool await_ready() {
    connection_->throw_if_unwritable();
    return connection_->queued() == 0;
  }
  void await_suspend(PromiseBase& promise) {
    suspend_waiter(promise);
    connection_->drain_waiters().push_back(*this);
  }
};

/// Writes when it is awaited, then drains.
class [[nodiscard("co_await it")]] Send final : public DrainWait {
 public:
  Send(Ref<Connection> connection, std::string&& data) noexcept
      : DrainWait(std::move(connection)), owned_(std::move(data)) {}
  Send(Ref<Connection> connection, std::string_view data) noexcept
      : DrainWait(std::move(connection)), view_(data) {}
  bool await_ready() {
    if (view_.data())
      connection_->write(view_);
    else
      connection_->write(std::move(owned_));
    return drained();
  }

 private:
  std::string owned_;
  std::string_view view_;  // of the caller's, who awaits at once
};

class [[nodiscard("co_await it")]] WaitClosed final : public Waiter {
 public:
  explicit WaitClosed(Ref<Connection> connection) noexcept : connection_(std::move(connection)) {}
  bool await_ready();
  void await_suspend(PromiseBase& promise);
  void await_resume();
  AwaitableKind kind() const noexcept final { return AwaitableKind::stream_wait_closed; }

 private:
  Ref<Connection> connection_;
};

}  // namespace asyncio::detail
