// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "asyncio/streams.hpp"
#include "asyncio/task.hpp"

#include <functional>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

namespace asyncio::detail {

/// What a server calls for each connection.
class ClientHandler : public std::enable_shared_from_this<ClientHandler> {
 public:
  virtual ~ClientHandler() = default;
  virtual void connected(Ref<Connection> connection) = 0;
};

/// Reports what a handler threw, and closes the connection.
void client_failed(Connection& connection, std::exception_ptr error);
/// The same for a handler that was a task.
void client_task_done(const TaskHandle& task, Connection& connection);

template <class F>
class TypedClientHandler final : public ClientHandler {
 public:
  template <class G>
  explicit TypedClientHandler(G&& function) : function_(std::forward<G>(function)) {}

  void connected(Ref<Connection> connection) override {
    using Result = std::invoke_result_t<F&, StreamReader, StreamWriter>;
    if constexpr (is_coro_v<Result>) {
      // The task keeps the handler, and with it the captures its coroutine refers to.
      auto task = spawn_call(connection->loop(), TaskOptions(), std::source_location(),
                             Call{shared()}, StreamReader(connection), StreamWriter(connection));
      static_cast<TaskHandle>(task).add_done_callback(
          [connection = std::move(connection)](const TaskHandle& done) {
            client_task_done(done, *connection);
          });
    } else {
      try {
        (void)std::invoke(function_, StreamReader(connection), StreamWriter(connection));
      } catch (const std::exception&) {
        client_failed(*connection, std::current_exception());
      }
    }
  }

 private:
  struct Call {
    auto operator()(StreamReader reader, StreamWriter writer) const {
      return std::invoke(handler->function_, std::move(reader), std::move(writer));
    }
    std::shared_ptr<TypedClientHandler> handler;
  };

  std::shared_ptr<TypedClientHandler> shared() {
    return std::static_pointer_cast<TypedClientHandler>(shared_from_this());
  }

  F function_;
};

}  // namespace asyncio::detail
