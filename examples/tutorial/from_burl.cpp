// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>
#include <asyncio/http/nlohmann_json.hpp>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

using namespace asyncio;
using nlohmann::json;

// [get]
Coro<> simple_get(http::ClientSession session) {
  auto response = co_await session.get("/shoes");
  std::cout << co_await response.text() << "\n";

  auto parsed = co_await session.get("/shoes");
  std::cout << (co_await parsed.json<json>()).at("blue") << "\n";
}
// [/get]

// [status]
Coro<> status_and_headers(http::ClientSession session) {
  auto response = co_await session.get("/shoes");
  std::cout << response.status().code() << " " << response.reason() << "\n";
  std::cout << response.headers().get("Content-Type", "none") << "\n";
  std::cout << (co_await response.text()).size() << " bytes\n";
}
// [/status]

// [errors]
Coro<> errors(http::ClientSession session) {
  http::RequestOptions strict;
  strict.raise_for_status(true);
  try {
    co_await session.get("/none", strict);
  } catch (const http::ClientResponseError& error) {
    std::cout << error.what() << "\n";
  }

  auto outcome = co_await capture(session.get("/none", strict));
  if (!outcome.has_value()) std::cout << "the same without a throw\n";
}
// [/errors]

// [query]
Coro<> query_and_headers(http::ClientSession session) {
  http::RequestOptions options;
  http::MultiDict query{{"category", "shoes"}, {"color", "blue"}};
  options.params(query).header("Accept-Language", "en").header("X-Trace-Id", "abc123");
  auto response = co_await session.get("/asked", options);
  std::cout << co_await response.text() << "\n";
}
// [/query]

// [auth]
Coro<> authentication(http::ClientSession session) {
  http::RequestOptions options;
  options.auth("postman", "password");
  auto response = co_await session.get("/asked", options);
  std::cout << co_await response.text() << "\n";
}
// [/auth]

// [bodies]
Coro<> bodies(http::ClientSession session) {
  json object{{"key", "value"}};
  co_await session.post("/any", http::RequestOptions().json(object));

  http::MultiDict form{{"user", "John"}, {"lang", "En"}};
  co_await session.post("/any", http::RequestOptions().form(form));

  http::FormData files;
  files.add_path("attachment", "./report.log", "", "text/plain");
  files.add_field("priority", "high");
  co_await session.post("/any", http::RequestOptions().data(files));

  http::RequestOptions upload;
  upload.file("./report.log");
  auto response = co_await session.put("/any", upload);
  File answer = co_await open_file("./answer.txt", "w");
  co_await with(answer, [&](File& file) -> Coro<> {
    auto chunks = response.content().iter_chunked(65536);
    while (auto chunk = co_await chunks.next()) co_await file.write(Bytes(*chunk));
  });
}
// [/bodies]

// [stream]
Coro<> stream(http::ClientSession session) {
  auto response = co_await session.get("/big");
  std::size_t bytes = 0;
  auto chunks = response.content().iter_chunked(65536);
  while (auto chunk = co_await chunks.next()) bytes += chunk->size();
  std::cout << bytes << " bytes\n";
}
// [/stream]

std::string what_was_asked(const web::Request& request) {
  std::string seen(request.target());
  for (const char* name : {"Accept-Language", "X-Trace-Id", "Authorization", "User-Agent"})
    if (auto value = request.headers().get(name)) seen += "\n  " + std::string(*value);
  return seen;
}

/// What is asked for above.
web::Application site() {
  web::Application app;
  app.get("/shoes", [](web::Request&) -> Coro<web::Response> {
    co_return web::json_response(json{{"blue", 43}});
  });
  app.get("/asked", [](web::Request& request) -> Coro<web::Response> {
    co_return web::Response(what_was_asked(request));
  });
  app.add_route("*", "/any", [](web::Request& request) -> Coro<web::Response> {
    std::string body = co_await request.read();
    std::cout << request.method().str() << " " << request.content_type() << "\n";
    co_return web::Response(std::move(body));
  });
  app.get("/big", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response(std::string(1'000'000, 'x'));
  });
  return app;
}

Coro<> program() {
  std::ofstream("./report.log") << "12:00 all is well\n";
  co_await with_site(site(), [&]() -> Coro<> {
    // [session]
    http::SessionOptions defaults;
    defaults.base_url("http://localhost:3000")
        .header("User-Agent", "Shop/1.0")
        .auth("user", "pass");
    http::ClientSession session(defaults);
    // [/session]
    co_await simple_get(session);
    co_await status_and_headers(session);
    co_await errors(session);
    co_await query_and_headers(session);
    co_await authentication(session);
    co_await bodies(session);
    co_await stream(session);
    session.close();
  });
  std::cout << std::ifstream("./answer.txt").rdbuf();
  std::remove("./report.log");
  std::remove("./answer.txt");
}

int main() { run(program()); }
