// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/runner.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/task.hpp"
#include "http/server_connection.hpp"

#include <list>
#include <utility>

namespace asyncio::web {

namespace detail {

class RunnerState : public std::enable_shared_from_this<RunnerState> {
 public:
  RunnerState(Application application, const RunnerOptions& options)
      : app(std::move(application)), shutdown_timeout(options.get_shutdown_timeout()) {
    settings.limits = options.get_limits();
    settings.keepalive_timeout = options.get_keepalive_timeout();
    settings.head_timeout = options.get_head_timeout();
    settings.progress_timeout = options.get_progress_timeout();
    settings.client_max_size = options.get_client_max_size();
    handler = [this](Request& request) { return app.handle(request); };
  }

  static Coro<> serve(std::shared_ptr<RunnerState> self, StreamReader reader, StreamWriter writer) {
    auto place = self->connections.insert(self->connections.end(), current_task().value());
    http::detail::ServerConnection connection(std::move(reader), std::move(writer), self->settings,
                                              self->handler);
    auto outcome = co_await capture(connection.serve());
    self->connections.erase(place);
    outcome.value();
  }

  Application app;
  http::detail::ServerSettings settings;
  http::detail::WebHandler handler;
  Delay shutdown_timeout;
  std::vector<Server> servers;
  std::list<TaskHandle> connections;  // their tasks
  bool is_set_up = false;
};

}  // namespace detail

AppRunner::AppRunner(Application app, RunnerOptions options)
    : state_(std::make_shared<detail::RunnerState>(std::move(app), options)) {}

Coro<> AppRunner::setup() const {
  auto state = state_;
  if (std::exchange(state->is_set_up, true)) co_return;
  co_await state->app.startup();
}

Coro<> AppRunner::cleanup() const {
  auto state = state_;
  std::vector<Server> servers = std::exchange(state->servers, {});
  for (Server& server : servers) co_await server.shutdown(state->shutdown_timeout);
  // Their connections are gone; what is left are handlers that have not noticed.
  std::list<TaskHandle> left = state->connections;
  for (TaskHandle& task : left) task.cancel();
  for (TaskHandle& task : left) {
    auto outcome = co_await capture(task);
    if (outcome.cancelled() && !task.cancelled()) outcome.rethrow();
  }
  if (std::exchange(state->is_set_up, false)) co_await state->app.cleanup();
}

std::vector<SocketAddress> AppRunner::addresses() const {
  std::vector<SocketAddress> all;
  for (const Server& server : state_->servers)
    for (const ListeningSocket& socket : server.sockets()) all.push_back(socket);
  return all;
}

Coro<> TCPSite::start() const {
  auto state = runner_.state_;
  if (!state->is_set_up) throw RuntimeError("call AppRunner::setup() before TCPSite::start()");
  auto serve = [state](StreamReader reader, StreamWriter writer) {
    return detail::RunnerState::serve(state, std::move(reader), std::move(writer));
  };
  Server server = co_await start_server(serve, host_, port_, options_);
  state->servers.push_back(std::move(server));
}

}  // namespace asyncio::web
