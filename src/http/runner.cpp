// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/runner.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/sleep.hpp"
#include "asyncio/task.hpp"
#include "asyncio/wait.hpp"
#include "http/http2_presence.hpp"
#include "http/http2_server.hpp"
#include "http/server_connection.hpp"
#include "http/spare_parsers.hpp"

#include <cerrno>
#include <list>
#include <optional>
#include <utility>

namespace asyncio::web {

namespace detail {

using http::detail::begins_with_preface;

/// How long a client may take to say its version if there is no room for it.
constexpr auto kTurnedAwayWithin = std::chrono::seconds(1);

/// A connection as long as it is served.
struct Served {
  Served(RunnerState& runner, StreamReader input);
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;
  ~Served();

  void stop();

  RunnerState& state;
  const TaskHandle task = current_task().value();
  const StreamReader reader;
  const bool too_many;                                         // of them: it is turned away
  std::shared_ptr<http::detail::ServedConnection> connection;  // null until it says what it speaks
  std::list<Served*>::iterator place;
  std::optional<TimerHandle> last_moment;
};

class RunnerState : public std::enable_shared_from_this<RunnerState> {
 public:
  RunnerState(Application application, const RunnerOptions& options)
      : app(std::move(application)), shutdown_timeout(options.get_shutdown_timeout()) {
    settings.limits = options.get_limits();
    settings.keepalive_timeout = options.get_keepalive_timeout();
    settings.head_timeout = options.get_head_timeout();
    settings.progress_timeout = options.get_progress_timeout();
    settings.min_body_rate = options.get_min_body_rate();
    settings.keepalive_requests = options.get_keepalive_requests();
    settings.http2_prior_knowledge = options.get_http2_prior_knowledge();
    max_connections = options.get_max_connections();
    settings.access_log = options.get_access_log();
    settings.client_max_size = options.get_client_max_size();
    settings.parsers = &parsers;
    handler = [this](Request& request) { return app.handle(request); };
  }

  static Coro<> serve(std::shared_ptr<RunnerState> self, StreamReader reader, StreamWriter writer) {
    Served served(*self, reader);
    bool is_http2 = writer.get_extra_info("selected_alpn_protocol") == "h2";
    bool may_be_http2 = self->settings.http2_prior_knowledge && !writer.ssl_object();
    if (may_be_http2 && served.too_many)
      is_http2 = co_await begins_with_preface(reader, kTurnedAwayWithin, kTurnedAwayWithin);
    else if (may_be_http2)
      is_http2 = co_await begins_with_preface(reader, self->settings.keepalive_timeout,
                                              self->settings.head_timeout);
    if (is_http2)
      served.connection = http::detail::make_http2_server(std::move(reader), std::move(writer),
                                                          self->settings, self->handler);
    else
      served.connection = std::make_shared<http::detail::ServerConnection>(
          std::move(reader), std::move(writer), self->settings, self->handler);
    Coro<> serving = served.too_many ? served.connection->turn_away() : served.connection->serve();
    co_await std::move(serving);
  }

  std::vector<TaskHandle> tasks() const {
    std::vector<TaskHandle> all;
    for (const Served* served : connections) all.push_back(served->task);
    return all;
  }

  Coro<> tell_application() {
    if (!is_set_up) co_return;
    co_await app.shutdown();
  }

  /// Lets what was asked be answered, for a limited time.
  Coro<> finish_connections() {
    for (Served* served : connections) served->stop();
    std::vector<TaskHandle> left = tasks();
    if (!left.empty()) co_await wait(left, ALL_COMPLETED, shutdown_timeout);
    left = tasks();
    for (TaskHandle& task : left) task.cancel();
    for (TaskHandle& task : left) {
      auto outcome = co_await capture(task);
      if (outcome.cancelled() && !task.cancelled()) outcome.rethrow();
    }
  }

  void add(Server server) {
    try {
      servers.push_back(server);
    } catch (...) {  // Rethrown: nobody else could close it.
      server.close();
      throw;
    }
  }

  Application app;
  http::detail::SpareParsers parsers;
  http::detail::ServerSettings settings;
  http::detail::WebHandler handler;
  Delay shutdown_timeout;
  std::size_t max_connections = 0;
  std::vector<Server> servers;
  std::list<Served*> connections;
  std::size_t serving = 0;  // of the connections; the others are turned away
  bool is_set_up = false;
};

Served::Served(RunnerState& runner, StreamReader input)
    : state(runner),
      reader(std::move(input)),
      too_many(runner.max_connections > 0 && runner.serving >= runner.max_connections),
      place(runner.connections.insert(runner.connections.end(), this)) {
  state.serving += !too_many;
}

Served::~Served() {
  if (last_moment) last_moment->cancel();
  state.serving -= !too_many;
  state.connections.erase(place);
}

void Served::stop() {
  if (connection) return connection->stop();
  if (last_moment) return;
  last_moment = get_running_loop().call_later(http::detail::kFirstRequest, [this] {
    if (!connection && reader.state()->buffer().view().empty())
      reader.set_exception(ConnectionAbortedError(ECONNABORTED, "the server ends"));
  });
}

}  // namespace detail

AppRunner::AppRunner(Application app, RunnerOptions options) {
  if (options.get_http2_prior_knowledge() && !http::detail::has_http2())
    throw RuntimeError("AppRunner: asyncio::http is built without HTTP/2");
  state_ = std::make_shared<detail::RunnerState>(std::move(app), options);
}

Coro<> AppRunner::setup() const {
  auto state = state_;
  if (state->is_set_up) co_return;
  auto starting = state->app.startup();
  state->is_set_up = true;
  state->settings.is_stopping = false;
  auto started = co_await capture(std::move(starting));
  if (started) co_return;
  state->is_set_up = false;
  auto ended = co_await capture(state->app.cleanup());  // of what had begun
  (void)ended;                                          // the first error is the one to see
  started.rethrow();
}

namespace {

/// In which what the system has by now reaches connections: it is accepted, its task begins, it is
/// read. Without a time the loop would go on with what is ready, and not ask the system.
constexpr auto kMoment = std::chrono::milliseconds(1);

}  // namespace

Coro<> AppRunner::cleanup() const {
  auto state = state_;
  state->settings.is_stopping = true;
  // Clients that were let in, and requests that are there, are not to end with a reset.
  auto arrived = co_await capture(sleep(kMoment));
  std::vector<Server> servers = std::exchange(state->servers, {});
  for (Server& server : servers) {
    server.accept_backlog();
    server.close();
  }
  arrived.value();
  auto told = co_await capture(state->tell_application());
  co_await sleep(kMoment);
  co_await state->finish_connections();
  // What is left has not become a connection: TLS that is being agreed upon.
  for (Server& server : servers) co_await server.shutdown(Delay(std::chrono::seconds(0)));
  if (std::exchange(state->is_set_up, false)) co_await state->app.cleanup();
  told.value();
}

std::vector<SocketAddress> AppRunner::addresses() const {
  std::vector<SocketAddress> all;
  for (const ListeningSocket& socket : sockets()) all.push_back(socket);
  return all;
}

std::vector<ListeningSocket> AppRunner::sockets() const {
  std::vector<ListeningSocket> all;
  for (const Server& server : state_->servers)
    for (ListeningSocket& socket : server.sockets()) all.push_back(std::move(socket));
  return all;
}

namespace {

/// What a server calls for each connection.
auto handler_of(std::shared_ptr<detail::RunnerState> state) {
  return [state = std::move(state)](StreamReader reader, StreamWriter writer) {
    return detail::RunnerState::serve(state, std::move(reader), std::move(writer));
  };
}

}  // namespace

Coro<> TCPSite::start() const {
  auto state = runner_.state_;
  if (!state->is_set_up) throw RuntimeError("call AppRunner::setup() before TCPSite::start()");
  auto serve = handler_of(state);
  Server server = co_await start_server(serve, host_, port_, options_);
  state->add(std::move(server));
}

Coro<> SockSite::start() const {
  auto state = runner_.state_;
  if (!state->is_set_up) throw RuntimeError("call AppRunner::setup() before SockSite::start()");
  auto serve = handler_of(state);
  Server server = co_await start_server(serve, sock_, options_);
  state->add(std::move(server));
}

}  // namespace asyncio::web
