// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/application.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exception_group.hpp"
#include "asyncio/logging.hpp"
#include "asyncio/task.hpp"
#include "http/router.hpp"
#include "http/server_exchange.hpp"

#include <string>
#include <vector>

namespace asyncio::web {

struct Application::State {
  struct Mounted {
    std::string prefix;
    std::unique_ptr<Application> app;
  };

  detail::Router router;
  std::vector<Mounted> mounted;
  std::vector<Middleware> middlewares;
  Handler handler;  // the routes, inside all middlewares
  Storage storage;
  std::vector<std::function<CleanupContext(Application&)>> contexts;
  std::vector<Signal> on_startup, on_shutdown, on_cleanup, background;
  std::vector<CleanupContext> entered;
  std::vector<Task<void>> running;  // in the background
};

namespace {

/// "GET, HEAD, POST".
std::string methods_of(const detail::Route& route) {
  std::string methods;
  for (const auto& [method, handler] : route.handlers) {
    if (!methods.empty()) methods += ", ";
    methods += method;
    if (method == "GET" && !route.handlers.contains("HEAD")) methods += ", HEAD";
  }
  return methods;
}

const Handler* handler_for(const detail::Route& route, std::string_view method) {
  auto found = route.handlers.find(method);
  if (found == route.handlers.end() && method == "HEAD") found = route.handlers.find("GET");
  if (found == route.handlers.end()) found = route.handlers.find("*");
  return found == route.handlers.end() ? nullptr : &found->second;
}

}  // namespace

namespace detail {

void no_such_page() { throw HTTPNotFound(); }

std::string_view match_part(const Request& request, std::size_t index) {
  return (request.match_info().begin() + static_cast<std::ptrdiff_t>(index))->second;
}

void check_parameter_count(std::string_view pattern, std::size_t names, std::size_t parameters) {
  if (names != parameters)
    throw ValueError("route '" + std::string(pattern) + "': it names " + std::to_string(names) +
                     " parts, and its handler takes " + std::to_string(parameters));
}

}  // namespace detail

Application::Application() : state_(std::make_unique<State>()) { build_handler(); }
Application::Application(Application&&) noexcept = default;
Application& Application::operator=(Application&&) noexcept = default;
Application::~Application() = default;

void Application::add(std::string_view method, std::string_view pattern,
                      detail::BoundHandler handler) {
  state_->router.add(method, pattern, std::move(handler));
}

Application& Application::add_middleware(Middleware middleware) {
  state_->middlewares.push_back(std::move(middleware));
  return *this;
}

Application& Application::add_subapp(std::string_view prefix, Application app) {
  if (prefix.size() < 2 || !prefix.starts_with('/') || prefix.ends_with('/') ||
      prefix.find_first_of("{}%") != std::string_view::npos)
    throw ValueError("sub-application at '" + std::string(prefix) + "': a prefix is like /admin");
  state_->mounted.push_back({std::string(prefix), std::make_unique<Application>(std::move(app))});
  return *this;
}

Application& Application::on_startup(Signal function) {
  state_->on_startup.push_back(std::move(function));
  return *this;
}

Application& Application::on_shutdown(Signal function) {
  state_->on_shutdown.push_back(std::move(function));
  return *this;
}

Application& Application::on_cleanup(Signal function) {
  state_->on_cleanup.push_back(std::move(function));
  return *this;
}

Application& Application::cleanup_ctx(std::function<CleanupContext(Application&)> function) {
  state_->contexts.push_back(std::move(function));
  return *this;
}

Application& Application::add_background(Signal function) {
  state_->background.push_back(std::move(function));
  return *this;
}

Storage& Application::storage() const noexcept { return state_->storage; }

Coro<Response> Application::route(const State& state, Request& request) {
  std::string_view path = request.route_path();
  for (const State::Mounted& mounted : state.mounted) {
    std::string_view prefix = mounted.prefix;
    if (!path.starts_with(prefix) || (path.size() > prefix.size() && path[prefix.size()] != '/'))
      continue;
    request.leave_prefix(prefix.size());
    return mounted.app->handle(request);
  }
  std::vector<std::string> parts;
  const detail::Route* route = state.router.find(path, parts);
  if (!route) throw HTTPNotFound();
  const Handler* handler = handler_for(*route, request.method().str());
  if (!handler) throw HTTPMethodNotAllowed(methods_of(*route));
  for (std::size_t i = 0; i < parts.size(); ++i)
    request.edit_match_info().add(route->names[i], std::move(parts[i]));
  return (*handler)(request);
}

Coro<Response> Application::handle(Request& request) const {
  request.enter(*this);
  return state_->handler(request);
}

void Application::build_handler() {
  state_->handler = [state = state_.get()](Request& request) { return route(*state, request); };
  if (state_->middlewares.empty()) return;
  // What a route throws, middlewares get when they await it, not when they call it.
  state_->handler = [inner = std::move(state_->handler)](Request& request) -> Coro<Response> {
    Response response = co_await inner(request);
    if (response.is_sent()) response = Response::sent(request.exchange().status());
    co_return response;
  };
  for (auto middleware = state_->middlewares.rbegin(); middleware != state_->middlewares.rend();
       ++middleware) {
    state_->handler = [next = std::move(state_->handler), outer = *middleware](Request& request) {
      return outer(request, next);
    };
  }
}

namespace {

Coro<> run_in_background(const Application::Signal& function, Application& app) {
  auto outcome = co_await capture(function(app));
  if (outcome.cancelled()) outcome.rethrow();
  if (!outcome)
    log(LogLevel::error,
        "A background task of the application failed: " + describe_exception(outcome.exception()));
}

/// Does all of an end, whatever fails of it.
class Ending {
 public:
  Coro<> step(Coro<> work) {
    auto outcome = co_await capture(std::move(work));
    if (outcome.cancelled())
      cancelled_ = outcome.exception();
    else if (!outcome)
      errors_.push_back(outcome.exception());
  }
  void finish() {
    if (cancelled_) std::rethrow_exception(cancelled_);
    if (errors_.size() == 1) std::rethrow_exception(errors_.front());
    if (!errors_.empty())
      throw ExceptionGroup("Multiple errors on cleanup stage", std::move(errors_));
  }

 private:
  std::exception_ptr cancelled_;
  std::vector<std::exception_ptr> errors_;
};

Coro<> leave(CleanupContext& context) {
  auto more = co_await context.next();
  if (more) throw RuntimeError("a cleanup context has more than one 'co_yield'");
}

Coro<> end_task(Task<void>& task) {
  task.cancel();
  auto outcome = co_await capture(task);
  if (outcome.cancelled() && !task.cancelled()) outcome.rethrow();
}

}  // namespace

Coro<> Application::startup() {
  build_handler();
  for (auto& function : state_->contexts) {
    CleanupContext context = function(*this);
    auto entered = co_await context.next();
    if (!entered) throw RuntimeError("a cleanup context ended without 'co_yield'");
    state_->entered.push_back(std::move(context));
  }
  for (const Signal& function : state_->on_startup) co_await function(*this);
  for (auto& mounted : state_->mounted) co_await mounted.app->startup();
  for (const Signal& function : state_->background)
    state_->running.push_back(create_task(run_in_background(function, *this)));
}

Coro<> Application::shutdown() {
  Ending ending;
  for (const Signal& function : state_->on_shutdown) co_await ending.step(function(*this));
  for (auto& mounted : state_->mounted) co_await ending.step(mounted.app->shutdown());
  ending.finish();
}

Coro<> Application::cleanup() {
  Ending ending;
  std::vector<Task<void>> running = std::exchange(state_->running, {});
  std::vector<CleanupContext> entered = std::exchange(state_->entered, {});
  for (Task<void>& task : running) co_await ending.step(end_task(task));
  for (auto mounted = state_->mounted.rbegin(); mounted != state_->mounted.rend(); ++mounted)
    co_await ending.step(mounted->app->cleanup());
  for (auto function = state_->on_cleanup.rbegin(); function != state_->on_cleanup.rend();
       ++function)
    co_await ending.step((*function)(*this));
  for (auto context = entered.rbegin(); context != entered.rend(); ++context)
    co_await ending.step(leave(*context));
  ending.finish();
}

}  // namespace asyncio::web
