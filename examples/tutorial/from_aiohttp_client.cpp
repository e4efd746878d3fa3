// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <iostream>
#include <string>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;

// [request]
Coro<> make_a_request() {
  co_await with(http::ClientSession(), [&](http::ClientSession& session) -> Coro<> {
    http::ClientResponse response = co_await session.get("http://localhost:3000/get");
    std::cout << response.status().code() << "\n";
    std::cout << co_await response.text() << "\n";
  });
}
// [/request]

// [methods]
Coro<> methods(http::ClientSession session) {
  auto data = http::RequestOptions().data("data");
  co_await session.post("/any", data);
  co_await session.put("/any", data);
  co_await session.del("/any");
  co_await session.head("/any");
  co_await session.patch("/any", data);
  co_await session.request("OPTIONS", "/any");
}
// [/methods]

// [params]
Coro<> parameters(http::ClientSession session) {
  http::MultiDict params{{"key1", "value1"}, {"key2", "value2"}, {"key2", "a b&c"}};
  http::ClientResponse response =
      co_await session.get("/get", http::RequestOptions().params(params));
  std::cout << response.url().path_qs() << "\n";
}
// [/params]

// [json]
Coro<> json_both_ways(http::ClientSession session) {
  json question{{"name", "Ada"}};
  auto response = co_await session.post("/json", http::RequestOptions().json(question));
  auto answer = co_await response.json<json>();
  std::cout << answer.at("hello") << "\n";
}
// [/json]

// [stream]
Coro<> streaming(http::ClientSession session) {
  http::ClientResponse response = co_await session.get("/big");
  std::size_t bytes = 0;
  while (true) {
    std::string part = co_await response.read_some();
    if (part.empty()) break;
    bytes += part.size();  // or into a file
  }
  std::cout << bytes << " bytes\n";
}
// [/stream]

// [forms]
Coro<> forms(http::ClientSession session) {
  http::MultiDict payload{{"key1", "value1"}, {"key2", "value2"}};
  auto posted = co_await session.post("/form", http::RequestOptions().form(payload));
  std::cout << co_await posted.text() << "\n";

  http::FormData files;
  files.add_field("comment", "for you");
  files.add_file("file", "the report's bytes", "report.txt", "text/plain");
  auto uploaded = co_await session.post("/any", http::RequestOptions().data(files));
  std::cout << uploaded.status().code() << "\n";
}
// [/forms]

// [parts]
Coro<> parts(http::ClientSession session) {
  http::ClientResponse asked = co_await session.get("/get?key=value+1");
  std::cout << asked.url().path_qs() << "\n";

  http::ClientResponse big = co_await session.get("/big");
  std::cout << co_await big.content().read(10) << "\n";

  auto chained = http::RequestOptions().data(big.content().iter_chunked(65536));  // the rest of it
  http::ClientResponse posted = co_await session.post("/size", chained);
  std::cout << co_await posted.text() << "\n";

  http::ClientResponse odd = co_await session.get("/text.json");  // as text/plain
  json parsed = http::JsonCodec<json>::parse(co_await odd.text());
  std::cout << parsed.at("some") << "\n";
}
// [/parts]

// [websocket]
Coro<> websocket(http::ClientSession session) {
  http::WebSocket ws = co_await session.ws_connect("/ws");
  co_await ws.send_str("hello");
  while (auto message = co_await ws.next()) {
    std::cout << message->data << "\n";
    if (message->data == "close cmd") break;
    co_await ws.send_str("close cmd");
  }
  co_await ws.close();
}
// [/websocket]

// [timeouts]
Coro<> timeouts(http::ClientSession session) {
  http::RequestOptions options;
  options.timeout(http::ClientTimeout().total(60s).sock_read(100ms));
  try {
    co_await session.get("/slow", options);
  } catch (const TimeoutError& error) {
    std::cout << error.what() << "\n";
  }
}
// [/timeouts]

// [errors]
Coro<> errors(http::ClientSession session) {
  try {
    auto response = co_await session.get("/none");
    response.raise_for_status();
  } catch (const http::ClientResponseError& error) {
    std::cout << error.status().code() << ": " << error.what() << "\n";
  }
  try {
    co_await session.get("http://localhost:1/");
  } catch (const http::ClientError& error) {
    std::cout << error.what() << "\n";
  }
}
// [/errors]

/// What is asked for above.
web::Application site() {
  web::Application app;
  auto ok = [](web::Request&) -> Coro<web::Response> { co_return web::Response("ok"); };
  app.get("/get", ok);
  app.add_route("*", "/any", ok);
  app.get("/slow", [](web::Request&) -> Coro<web::Response> {
    co_await sleep(1s);
    co_return web::Response("late");
  });
  app.get("/big", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response(std::string(1'000'000, 'x'));
  });
  app.post("/size", [](web::Request& request) -> Coro<web::Response> {
    std::size_t size = (co_await request.read()).size();
    co_return web::Response(std::to_string(size));
  });
  app.get("/text.json", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response(R"({"some": "data"})");
  });
  app.post("/json", [](web::Request& request) -> Coro<web::Response> {
    json question = co_await request.json<json>();
    json answer{{"hello", question.at("name")}};
    co_return web::json_response(answer);
  });
  app.post("/form", [](web::Request& request) -> Coro<web::Response> {
    http::MultiDict form = co_await request.post();
    co_return web::Response("key2 is " + std::string(form.at("key2")));
  });
  app.get("/ws", [](web::Request& request) -> Coro<web::Response> {
    http::WebSocket ws = co_await web::websocket(request);
    while (auto message = co_await ws.next()) co_await ws.send_str(message->data);
    co_return web::Response::sent();
  });
  return app;
}

Coro<> program() {
  co_await with_site(site(), [&]() -> Coro<> {
    co_await make_a_request();
    // [base_url]
    http::SessionOptions defaults;
    defaults.base_url("http://localhost:3000").timeout(http::ClientTimeout().total(60s));
    http::ClientSession session(defaults);
    // [/base_url]
    co_await methods(session);
    co_await parameters(session);
    co_await json_both_ways(session);
    co_await streaming(session);
    co_await forms(session);
    co_await parts(session);
    co_await websocket(session);
    co_await timeouts(session);
    co_await errors(session);
    session.close();
  });
}

int main() { run(program()); }
