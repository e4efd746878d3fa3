// SPDX-License-Identifier: BSL-1.0
/// A web application: routes, middlewares and what lives as long as they do.
#pragma once

#include "asyncio/coro.hpp"
#include "asyncio/generator.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/handler.hpp"
#include "asyncio/web/request.hpp"
#include "asyncio/web/response.hpp"
#include "asyncio/web/storage.hpp"

#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <variant>

namespace asyncio::web {

/// What Application::cleanup_ctx takes: a generator that yields once, `co_yield {}`. What stands
/// before it is done at the start, what stands behind it at the end.
///
/// asyncio  aiohttp: cleanup contexts
using CleanupContext = AsyncGenerator<std::monostate>;

/// Routes and their handlers. A pattern is a path, in which `{name}` stands for a segment,
/// `{name:int}` for a whole number and `{name...}` for the rest; a handler takes them as further
/// parameters, or asks the request for them:
///
///   app.get("/users/{id:int}", [](web::Request&, int id) -> Coro<web::Response> { ... });
///
/// What it is made of is added before it is served. Functions are kept, with what they capture, as
/// long as the application.
///
/// Thread   the loop's.
/// asyncio  aiohttp: web.Application
class Application {
 public:
  using Signal = std::function<Coro<>(Application&)>;

  Application();
  Application(Application&&) noexcept;
  Application& operator=(Application&&) noexcept;
  ~Application();

  /// Throws   ValueError for a pattern that makes no sense, for one that has a handler already, and
  ///          if the handler takes more or fewer parts than the pattern names.
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
  /// aiohttp's names, which there are the router's.
  template <class F>
  Application& add_get(std::string_view pattern, F&& handler) {
    return get(pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& add_post(std::string_view pattern, F&& handler) {
    return post(pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& add_put(std::string_view pattern, F&& handler) {
    return put(pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& add_patch(std::string_view pattern, F&& handler) {
    return patch(pattern, std::forward<F>(handler));
  }
  template <class F>
  Application& add_delete(std::string_view pattern, F&& handler) {
    return del(pattern, std::forward<F>(handler));
  }
  /// The method "*" is for all that have no handler of their own. GET answers HEAD as well. Small
  /// letters are made large. Methods that nobody has registered come over HTTP/2 alone.
  ///
  /// Throws   ValueError for a method that is no token, and for a pattern that is none.
  template <class F>
  Application& add_route(std::string_view method, std::string_view pattern, F&& handler) {
    add(method, pattern, detail::bind_handler(std::forward<F>(handler)));
    return *this;
  }

  /// Everything below a path is another application's: "/admin" has "/admin/users" as its "/users".
  /// It has its own middlewares, inside those of this one, and its own values, and starts and ends
  /// with this one. The first that fits is asked, before the routes.
  ///
  /// Throws   ValueError for a prefix that does not begin with '/', ends with one, or names parts.
  /// asyncio  aiohttp: Application.add_subapp
  Application& add_subapp(std::string_view prefix, Application app);

  /// The first that is added is the outermost. They see 404 and 405 as well, as HTTPException.
  Application& add_middleware(Middleware middleware);

  /// Called before the first request, in order; when no more connections are accepted and those
  /// that are there still go on, which is the time to close WebSockets; and after the last request,
  /// in reverse.
  Application& on_startup(Signal function);
  Application& on_shutdown(Signal function);
  Application& on_cleanup(Signal function);

  /// Things that live as long as the application is served. They begin in order, before on_startup,
  /// and end in reverse, after on_cleanup:
  ///
  ///   app.cleanup_ctx([](web::Application& app) -> web::CleanupContext {
  ///     app.set(kDatabase, co_await connect());
  ///     co_yield {};
  ///     co_await app[kDatabase].close();
  ///   });
  Application& cleanup_ctx(std::function<CleanupContext(Application&)> function);

  /// Runs beside the requests: begins when on_startup is done, and is cancelled before on_cleanup.
  /// An error ends it and goes to the log.
  Application& add_background(Signal function);

  /// Keeps a value for handlers, middlewares and signals.
  template <class T>
  Application& set(const Key<T>& key, T value) {
    storage().set(key, std::move(value));
    return *this;
  }
  /// Throws   LookupError if there is none.
  template <class T>
  T& operator[](const Key<T>& key) const {
    return storage().at(key);
  }
  /// Null if there is none.
  template <class T>
  T* find(const Key<T>& key) const noexcept {
    return storage().find(key);
  }

  /// Answers a request.
  Coro<Response> handle(Request& request) const;

  /// What on_startup and the like were given. If a part of the start throws, call `cleanup` for
  /// what has begun.
  Coro<> startup();
  Coro<> shutdown();
  /// Throws   what the only part of it that failed has thrown, or an ExceptionGroup; the others are
  ///          cleaned up all the same.
  Coro<> cleanup();

 private:
  struct State;

  void add(std::string_view method, std::string_view pattern, detail::BoundHandler handler);
  Storage& storage() const noexcept;
  static Coro<Response> route(const State& state, Request& request);
  void build_handler();

  std::unique_ptr<State> state_;
};

}  // namespace asyncio::web
