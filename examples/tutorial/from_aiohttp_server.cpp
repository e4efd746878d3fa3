// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include <asyncio/http/client.hpp>
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/http/percent.hpp>
#include <asyncio/web/event_source.hpp>
#include <asyncio/web/session.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <iostream>
#include <string>
#include <string_view>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;

// [handlers]
Coro<web::Response> hello(web::Request& request) {
  co_return web::Response("Hello, " + std::string(request.match_info().get("name", "world")));
}

Coro<web::Response> add(web::Request&, int a, int b) {
  co_return web::Response(std::to_string(a + b));
}

Coro<web::Response> do_login(web::Request& request) {
  http::MultiDict form = co_await request.post();
  std::string login(form.get("login", ""));
  if (login.empty()) throw web::HTTPBadRequest("who are you?");
  web::Response response("welcome, " + login);
  response.set_cookie(http::Cookie("login", http::quote(login)));
  co_return response;
}

Coro<web::Response> some_json(web::Request&) {
  json data{{"some", "data"}};
  co_return web::json_response(data);
}

Coro<web::Response> moved(web::Request&) {
  throw web::HTTPFound("/");
  co_return web::Response();
}
// [/handlers]

// [class]
class Counter {
 public:
  Coro<web::Response> count(web::Request&) { co_return web::Response(std::to_string(++count_)); }

 private:
  int count_ = 0;
};
// [/class]

// [stream]
Coro<web::Response> events(web::Request& request) {
  web::EventSourceResponse stream;
  co_await stream.prepare(request);
  for (int i = 1; i <= 2; ++i) {
    web::ServerEvent event("tick " + std::to_string(i));
    co_await stream.send(event);
    co_await sleep(1s);
  }
  co_return co_await stream.write_eof();
}
// [/stream]

// [uploads]
Coro<web::Response> store_mp3(web::Request& request) {
  auto form = co_await request.post();
  const web::FileField* mp3 = form.file("mp3");
  if (!mp3) throw web::HTTPBadRequest("where is the song?");
  co_return web::Response(mp3->filename + ": " + std::to_string(mp3->content.size()) + " bytes");
}

Coro<web::Response> store_large_mp3(web::Request& request) {
  web::MultipartReader parts = request.multipart();
  std::size_t bytes = 0;
  while (auto part = co_await parts.next()) {
    while (true) {
      std::string_view piece = co_await part->read_some();
      if (piece.empty()) break;
      bytes += piece.size();  // or into a file
    }
  }
  co_return web::Response(std::to_string(bytes) + " bytes");
}
// [/uploads]

// [session]
Coro<web::Response> visit(web::Request& request) {
  web::Session& session = web::get_session(request);
  std::string before(session.get("last_visit").value_or("never"));
  session.set("last_visit", "today");
  co_return web::Response("last visit: " + before);
}
// [/session]

// [websocket]
Coro<web::Response> echo(web::Request& request) {
  http::WebSocket ws = co_await web::websocket(request);
  while (auto message = co_await ws.next()) {
    if (message->data == "close") break;
    co_await ws.send_str(message->data + "/answer");
  }
  co_await ws.close();
  co_return web::Response::sent();
}
// [/websocket]

// [routes]
web::Application application(Counter& counter) {
  web::Application app;
  app.get("/", hello);
  app.get("/hello/{name}", hello);
  app.get("/add/{a:int}/{b:int}", add);
  app.get("/json", some_json).post("/login", do_login);
  app.get("/old", moved);
  app.get("/count", [&](web::Request& request) { return counter.count(request); });
  app.get("/events", events).get("/visit", visit).get("/ws", echo);
  app.post("/store", store_mp3).post("/store_large", store_large_mp3);
  return app;
}
// [/routes]

// [middleware]
Coro<web::Response> log_errors(web::Request& request, const web::Handler& next) {
  auto outcome = co_await capture(next(request));
  if (outcome.holds<web::HTTPException>()) std::cout << "no " << request.path() << "\n";
  co_return std::move(outcome).value();
}
// [/middleware]

Coro<> program() {
  Counter counter;
  web::Application app = application(counter);
  // [add_middleware]
  app.add_middleware(log_errors);
  app.add_middleware(web::session_middleware(web::memory_sessions()));
  // [/add_middleware]
  co_await with_site(std::move(app), [&]() -> Coro<> {
    http::ClientSession session(http::SessionOptions().base_url("http://localhost:3000"));
    for (const char* path : {"/", "/hello/Ada", "/add/3/4", "/json", "/old", "/count", "/count",
                             "/events", "/visit", "/visit", "/none"}) {
      auto response = co_await session.get(path);
      std::cout << path << ": " << co_await response.text() << "\n";
    }
    http::MultiDict form{{"login", "Ada Lovelace"}};
    auto login = co_await session.post("/login", http::RequestOptions().form(form));
    std::cout << "/login: " << co_await login.text() << "\n";
    for (const char* path : {"/store", "/store_large"}) {
      http::FormData song;
      song.add_file("mp3", "la la la", "song.mp3", "audio/mpeg");
      auto stored = co_await session.post(path, http::RequestOptions().data(song));
      std::cout << path << ": " << co_await stored.text() << "\n";
    }
    http::WebSocket ws = co_await session.ws_connect("/ws");
    co_await ws.send_str("hello");
    std::cout << "/ws: " << (co_await ws.next())->data << "\n";
    co_await ws.close();
    session.close();
  });
}

int main() { run(program()); }
