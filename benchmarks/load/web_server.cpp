// SPDX-License-Identifier: BSL-1.0
// The web service that tools/load asks: L2, L13, L14.
//
// usage: load_web_server [HEAD_SECONDS [SHUTDOWN_SECONDS]]
//
// Listens on a port that the system chooses and says which; SIGTERM ends it in order.
#include <asyncio/sleep.hpp>
#include <asyncio/web/file_response.hpp>
#include <asyncio/web/runner.hpp>

#include <chrono>
#include <cstdlib>
#include <string>

using namespace asyncio;

namespace {

Coro<web::Response> hello(web::Request&) { co_return web::Response("hello"); }

Coro<web::Response> slow(web::Request&, int milliseconds) {
  co_await sleep(std::chrono::milliseconds(milliseconds));
  co_return web::Response("slow");
}

Coro<web::Response> upload(web::Request& request) {
  std::string body = co_await request.read();
  co_return web::Response(std::to_string(body.size()));
}

/// A file of more than the kernel keeps for a client that does not read: this program.
Coro<web::Response> large(web::Request& request) {
  return web::file_response(request, "/proc/self/exe");
}

}  // namespace

int main(int count, char** words) {
  web::Application app;
  app.get("/", hello).get("/slow/{ms:int}", slow).get("/large", large).post("/upload", upload);
  web::RunnerOptions options;
  if (count > 1) {
    std::chrono::duration<double> limit(std::atof(words[1]));
    options.head_timeout(limit).progress_timeout(limit);
  }
  if (count > 2) options.shutdown_timeout(std::chrono::duration<double>(std::atof(words[2])));
  return web::run_app(std::move(app), "127.0.0.1", 0, options);
}
