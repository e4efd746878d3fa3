// SPDX-License-Identifier: BSL-1.0
#include "temporary_folder.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/web/access_log.hpp>
#include <asyncio/web/file_response.hpp>
#include <asyncio/web/runner.hpp>
#include <asyncio/web/static_files.hpp>
#include <asyncio/web/stream_response.hpp>

#include <fstream>
#include <iostream>
#include <string>
#include <utility>

using namespace asyncio;
using namespace std::chrono_literals;

// [keys]
struct Database {
  std::string name;
};

const web::Key<Database> kDatabase("database");
const web::Key<std::string> kUser("user");

Coro<web::Response> authenticate(web::Request& request, const web::Handler& next) {
  request.set(kUser, std::string(request.headers().get("X-User").value_or("nobody")));
  co_return co_await next(request);
}

Coro<web::Response> who(web::Request& request) {
  co_return web::Response(request[kUser] + " on " + request.app()[kDatabase].name);
}
// [/keys]

// [contexts]
web::CleanupContext database(web::Application& app) {
  app.set(kDatabase, Database{"a database"});
  std::cout << "connected\n";
  co_yield {};
  std::cout << "closed\n";
}

Coro<> clean_now_and_then(web::Application&) {
  std::cout << "cleaning\n";
  for (;;) co_await sleep(60s);  // cancelled at the end
}

Coro<> greet(web::Application&) {
  std::cout << "here we go\n";
  co_return;
}
// [/contexts]

// [streams]
Coro<web::Response> numbers(web::Request& request) {
  web::StreamResponse stream;
  stream.head().content_type("text/plain");
  co_await stream.prepare(request);
  for (int i = 1; i <= 3; ++i) {
    std::string line = std::to_string(i) + "\n";
    co_await stream.write(line);
  }
  co_return co_await stream.write_eof();
}

Coro<web::Response> large(web::Request&) {
  web::Response response(std::string(100'000, 'x'));
  response.enable_compression();
  co_return response;
}
// [/streams]

// [application]
web::Application application(const std::string& folder) {
  web::Application admin;
  admin.get("/users",
            [](web::Request&) -> Coro<web::Response> { co_return web::Response("the users"); });

  web::Application app;
  app.cleanup_ctx(database).on_startup(greet).add_background(clean_now_and_then);
  app.add_middleware(authenticate);
  app.add_subapp("/admin", std::move(admin));
  app.get("/static/{name...}", web::StaticFiles(folder));
  app.get("/report", [folder](web::Request& request) -> Coro<web::Response> {
    co_return co_await web::file_response(request, folder + "/report.txt");
  });
  app.get("/who", who).get("/numbers", numbers).get("/large", large);
  app.add_route("*", "/any", [](web::Request& request) -> Coro<web::Response> {
    co_return web::Response(std::string(request.method().str()));
  });
  return app;
}
// [/application]

// [runner]
Coro<> serve(web::Application app, Coro<> body) {
  web::RunnerOptions options;
  options.access_log(web::access_logger(R"("%r" %s)")).shutdown_timeout(5s);
  web::AppRunner runner(std::move(app), options);
  co_await runner.setup();
  web::TCPSite site(runner, "localhost", 3000);
  co_await site.start();
  auto outcome = co_await capture(std::move(body));
  co_await runner.cleanup();
  outcome.value();
}
// [/runner]

Coro<> ask() {
  http::ClientSession session(http::SessionOptions().base_url("http://localhost:3000"));
  for (const char* path : {"/who", "/admin/users", "/static/report.txt", "/report", "/numbers"}) {
    auto response = co_await session.get(path);
    std::cout << co_await response.text() << "\n";
  }
  auto packed = co_await session.get("/large");
  std::cout << packed.headers().get("Content-Encoding").value_or("none") << "\n";
  auto options = co_await session.request("OPTIONS", "/any");
  std::cout << co_await options.text() << "\n";
  session.close();
}

int main() {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "report.txt") << "all is well\n";
  set_log_handler([](const LogRecord& record) { std::cout << record.message << "\n"; });
  run(serve(application(folder.path()), ask()));
}
