// SPDX-License-Identifier: BSL-1.0
#include "local_site.hpp"
#include "temporary_folder.hpp"
#include <asyncio/files.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/http/nlohmann_json.hpp>

#include <filesystem>
#include <iostream>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;
using nlohmann::json;

// [codec]
struct Point {
  int x = 0, y = 0;
};

template <>
struct asyncio::http::JsonCodec<Point> {
  static Point parse(std::string_view text) {
    json read = json::parse(text);
    return Point{read.at("x").get<int>(), read.at("y").get<int>()};
  }
  static std::string dump(const Point& point) {
    return "{\"x\":" + std::to_string(point.x) + ",\"y\":" + std::to_string(point.y) + "}";
  }
};

Coro<> own_json(http::ClientSession session) {
  http::RequestOptions options;
  options.json(Point{3, 4});
  auto response = co_await session.post("/mirror", options);
  Point mirrored = co_await response.json<Point>();
  std::cout << mirrored.x << " " << mirrored.y << "\n";
}
// [/codec]

// [files]
Coro<> send_files(http::ClientSession session, std::string path) {
  http::FormData form;
  form.add_path("file", path);  // read while it is sent
  form.add_file("other", "its bytes", "report.csv", "text/csv");
  auto uploaded = co_await session.post("/names", http::RequestOptions().data(form));
  std::cout << co_await uploaded.text() << "\n";

  auto streamed = co_await session.post("/size", http::RequestOptions().file(path));
  std::cout << co_await streamed.text() << "\n";
}
// [/files]

// [generator]
AsyncGenerator<std::string> file_sender(int parts) {
  for (int i = 0; i < parts; ++i) {
    co_await sleep(1ms);
    co_yield "part " + std::to_string(i) + "\n";
  }
}

Coro<> send_parts(http::ClientSession session) {
  auto sent = co_await session.post("/size", http::RequestOptions().data(file_sender(3)));
  std::cout << co_await sent.text() << "\n";

  http::FormData form;
  form.add_file("log", file_sender(2), "today.log");
  auto uploaded = co_await session.post("/names", http::RequestOptions().data(form));
  std::cout << co_await uploaded.text() << "\n";
}
// [/generator]

// [chunks]
Coro<> save(http::ClientSession session, std::string path) {
  auto response = co_await session.get("/big");
  File file = co_await open_file(path, "w");
  auto chunks = response.content().iter_chunked(65536);
  while (auto chunk = co_await chunks.next()) co_await file.write(std::move(*chunk));
  file.close();
  std::cout << std::filesystem::file_size(path) << " bytes\n";
}
// [/chunks]

// [cookies]
Coro<> cookies(http::ClientSession session) {
  http::MultiDict language{{"lang", "de"}};
  auto first = co_await session.get("/cookies", http::RequestOptions().cookies(language));
  std::cout << co_await first.text() << "\n";
  auto second = co_await session.get("/cookies");  // with what the first one has set
  std::cout << co_await second.text() << "\n";
}
// [/cookies]

// [options]
http::ClientSession careful() {
  http::TraceConfig trace;
  trace.on_request_end([](const http::TraceParams& params) {
    std::cout << params.method.str() << " " << params.url.path() << " " << params.status->code()
              << "\n";
  });
  http::SessionOptions options;
  options.base_url("http://localhost:3000").header("X-From", "me").auth("user", "password");
  options.timeout(http::ClientTimeout().total(60s)).limit(30).limit_per_host(2);
  options.raise_for_status(true).trace(trace);
  return http::ClientSession(options);
}

Coro<> with_options() {
  http::ClientSession session = careful();
  http::RequestOptions once;
  once.header("Content-Type", "text/plain").data("text").timeout(http::ClientTimeout().total(5s));
  co_await session.post("/size", once);
  co_await session.get(http::URL::lenient("http://localhost:3000/a b"));
  session.close();
}
// [/options]

/// What is asked for above.
web::Application site() {
  web::Application app;
  app.post("/mirror", [](web::Request& request) -> Coro<web::Response> {
    Point point = co_await request.json<Point>();
    Point mirrored{point.y, point.x};
    co_return web::json_response(mirrored);
  });
  app.post("/names", [](web::Request& request) -> Coro<web::Response> {
    web::PostData form = co_await request.post();
    std::string names;
    for (const web::FileField& file : form.files()) names += file.name + "=" + file.filename + ";";
    co_return web::Response(names);
  });
  app.post("/size", [](web::Request& request) -> Coro<web::Response> {
    std::size_t size = (co_await request.read()).size();
    co_return web::Response(std::to_string(size) + " bytes");
  });
  app.get("/big", [](web::Request&) -> Coro<web::Response> {
    co_return web::Response(std::string(1'000'000, 'x'));
  });
  app.get("/cookies", [](web::Request& request) -> Coro<web::Response> {
    std::string text;
    for (const auto& [name, value] : request.cookies()) text += name + "=" + value + ";";
    web::Response response(text);
    response.set_cookie(http::Cookie("seen", "yes").path("/"));
    co_return response;
  });
  app.get("/a b", [](web::Request&) -> Coro<web::Response> { co_return web::Response("ok"); });
  return app;
}

Coro<> program() {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "report.txt";
  co_await with_site(site(), [&]() -> Coro<> {
    http::SessionOptions defaults;
    defaults.base_url("http://localhost:3000");
    http::ClientSession session(defaults);
    co_await save(session, path);
    co_await own_json(session);
    co_await send_files(session, path);
    co_await send_parts(session);
    co_await cookies(session);
    session.close();
    co_await with_options();
  });
}

int main() { run(program()); }
