// SPDX-License-Identifier: BSL-1.0
// Handlers of a web application.
#include "asyncio/web/application.hpp"

#include <optional>
#include <string>

using namespace asyncio;

Coro<web::Response> by_reference(web::Request&, int, const std::string& name);
Coro<web::Response> by_value(web::Request&, std::string name, std::string_view other, int number);

void accepted(web::Application& app) { app.get("/{a}/{b}/{c}", by_value); }

// refused: a handler takes parts of the path by value
void function(web::Application& app) { app.get("/{number}/{name}", by_reference); }
// refused: a handler takes parts of the path by value
void lambda(web::Application& app) {
  app.get("/{name}", [](web::Request&, std::string&& name) -> Coro<web::Response> {
    co_return web::Response(name);
  });
}

struct Site {
  Coro<web::Response> page(web::Request&);
};
Coro<web::Response> takes_copy(web::Request);
Coro<web::Response> takes_flag(web::Request&, bool on);
Coro<web::Response> takes_optional(web::Request&, std::optional<int> number);
web::Response no_coroutine(web::Request&);
web::Response no_coroutine_of(web::Request&, int number);

// refused: a handler takes web::Request& first
void copied_request(web::Application& app) { app.get("/", takes_copy); }
// refused: a handler takes web::Request& first
void no_request(web::Application& app) {
  app.get("/", []() -> Coro<web::Response> { co_return web::Response(); });
}
// refused: a handler takes web::Request& first
void member(web::Application& app) { app.get("/", &Site::page); }
// refused: a handler takes parts of the path as numbers or as strings
void flag(web::Application& app) { app.get("/{on}", takes_flag); }
// refused: a handler takes parts of the path as numbers or as strings
void optional(web::Application& app) { app.get("/{number}", takes_optional); }
// refused: a handler returns Coro<web::Response>
void result(web::Application& app) { app.get("/", no_coroutine); }
// refused: a handler returns Coro<web::Response>
void result_of_parts(web::Application& app) { app.get("/{number}", no_coroutine_of); }
