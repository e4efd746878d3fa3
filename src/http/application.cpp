// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/application.hpp"

#include "http/router.hpp"

#include <string>
#include <vector>

namespace asyncio::web {

struct Application::State {
  detail::Router router;
  std::vector<Middleware> middlewares;
  Handler handler;  // the routes, inside all middlewares
  std::vector<std::function<Coro<>(Application&)>> startup;
  std::vector<std::function<Coro<>(Application&)>> cleanup;
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

Application::Application() : state_(std::make_unique<State>()) {
  state_->handler = [state = state_.get()](Request& request) { return route(*state, request); };
}
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

Application& Application::on_startup(std::function<Coro<>(Application&)> function) {
  state_->startup.push_back(std::move(function));
  return *this;
}

Application& Application::on_cleanup(std::function<Coro<>(Application&)> function) {
  state_->cleanup.push_back(std::move(function));
  return *this;
}

Coro<Response> Application::route(const State& state, Request& request) {
  std::vector<std::string> parts;
  const detail::Route* route = state.router.find(request.raw_path(), parts);
  if (!route) throw HTTPNotFound();
  const Handler* handler = handler_for(*route, request.method().str());
  if (!handler) throw HTTPMethodNotAllowed(methods_of(*route));
  for (std::size_t i = 0; i < parts.size(); ++i)
    request.edit_match_info().add(route->names[i], std::move(parts[i]));
  return (*handler)(request);
}

Coro<Response> Application::handle(Request& request) const { return state_->handler(request); }

Coro<> Application::startup() {
  // What a route throws, middlewares get when they await it, not when they call it.
  if (!state_->middlewares.empty())
    state_->handler = [inner = std::move(state_->handler)](Request& request) -> Coro<Response> {
      Response response = co_await inner(request);
      co_return response;
    };
  for (auto middleware = state_->middlewares.rbegin(); middleware != state_->middlewares.rend();
       ++middleware) {
    state_->handler = [next = std::move(state_->handler), outer = *middleware](Request& request) {
      return outer(request, next);
    };
  }
  for (auto& function : state_->startup) co_await function(*this);
}

Coro<> Application::cleanup() {
  for (auto function = state_->cleanup.rbegin(); function != state_->cleanup.rend(); ++function)
    co_await (*function)(*this);
}

}  // namespace asyncio::web
