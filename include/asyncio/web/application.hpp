// SPDX-License-Identifier: BSL-1.0
/// A web application: routes, middlewares and what lives as long as they do.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/handler.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <utility>

namespace asyncio::web {

/// Routes and their handlers. A pattern is a path, in which `{name}` stands for a segment,
/// `{name:int}` for a whole number and `{name...}` for the rest; a handler takes them as further
/// parameters, or asks the request for them:
///
///   app.get("/users/{id:int}", [](web::Request&, int id) -> Coro<web::Response> { ... });
///
/// Thread   the loop's.
/// asyncio  aiohttp: web.Application
class Application {
 public:
  Application();
  Application(Application&&) noexcept;
  Application& operator=(Application&&) noexcept;
  ~Application();

  /// Throws: ValueError for a pattern that makes no sense, for one that has a handler already, and
  /// if the handler takes more or fewer parts than the pattern names.
  template <class F>
  Application& get(std::string_view pattern, F&& handler) {
    return add_route("GET", pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& post(std::string_view pattern, F&& handler) {
    return add_route("POST", pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& put(std::string_view pattern, F&& handler) {
    return add_route("PUT", pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& patch(std::string_view pattern, F&& handler) {
    return add_route("PATCH", pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& del(std::string_view pattern, F&& handler) {
    return add_route("DELETE", pattern, std::forward<F>(handler));
  }
  /// The method "*" is for all that have no handler of their own. GET answers HEAD as well.
  template <class F>
  Application& add_route(std::string_view method, std::string_view pattern, F&& handler) {
    add(method, pattern, detail::bind_handler(std::forward<F>(handler)));
    return *this;
  }

  /// The first that is added is the outermost. They see 404 and 405 as well, as HTTPException.
  Application& add_middleware(Middleware middleware);

  /// Called before the first request, in order, and after the last one, in reverse.
  Application& on_startup(std::function<Coro<>(Application&)> function);
  Application& on_cleanup(std::function<Coro<>(Application&)> function);

  /// Answers a request.
  Coro<Response> handle(Request& request) const;

  Coro<> startup();
  Coro<> cleanup();

 private:
  struct State;

  void add(std::string_view method, std::string_view pattern, detail::BoundHandler handler);
  static Coro<Response> route(const State& state, Request& request);

  std::unique_ptr<State> state_;
};

}  // namespace asyncio::web
