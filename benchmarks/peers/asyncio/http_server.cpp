// SPDX-License-Identifier: BSL-1.0
// M7: "Hello, World!" at /, 1 KiB of JSON at /json. asyncio_peer_http PORT
#include <asyncio/asyncio.hpp>
#include <asyncio/web.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace asyncio;

Coro<> serve(std::uint16_t port) {
  web::Application app;
  app.get("/",
          [](web::Request&) -> Coro<web::Response> { co_return web::Response("Hello, World!"); });
  app.get("/json", [](web::Request&) -> Coro<web::Response> {
    static const std::string text = R"({"message":")" + std::string(1010, 'x') + R"("})";
    web::Response response;
    response.json(text);
    co_return response;
  });
  web::AppRunner runner(std::move(app));
  co_await runner.setup();
  web::TCPSite site(runner, "127.0.0.1", port);
  co_await site.start();
  co_await Event().wait();
}

}  // namespace

int main(int, char** arguments) {
  return asyncio::run_main(serve(static_cast<std::uint16_t>(std::atoi(arguments[1]))));
}
