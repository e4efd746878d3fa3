// SPDX-License-Identifier: BSL-1.0
// Handlers of a web application.
#include "asyncio/web/application.hpp"

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
