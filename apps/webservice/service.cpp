// SPDX-License-Identifier: BSL-1.0
#include "webservice/service.hpp"

#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/web/file_response.hpp>
#include <asyncio/web/runner.hpp>
#include <asyncio/web/static_files.hpp>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <utility>

namespace webservice {

using namespace asyncio;
using nlohmann::json;

namespace {

std::chrono::nanoseconds exactly(Seconds seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
}

bool is_word(std::string_view text) {
  auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  return text.size() <= 64 && std::ranges::all_of(text, fits);
}

}  // namespace

Service::Service(Options options)
    : options_(std::move(options)),
      cache_(exactly(options_.ttl)),
      room_(Delay(options_.heartbeat)) {}

web::Application Service::application() {
  web::Application app;
  app.add_middleware(
      [this](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
        return requests_.measure(request, next, options_.quiet);
      });
  notes_.add_routes(app);
  app.get("/api/work/{name}", [this](web::Request&, std::string name) -> Coro<web::Response> {
    return work(std::move(name));
  });
  app.get("/chat", [this](web::Request& request) { return room_.join(request); });
  app.get("/health", [this](web::Request&) -> Coro<web::Response> { co_return health(); });
  app.get("/metrics", [this](web::Request&) -> Coro<web::Response> { co_return metrics(); });
  add_pages(app);
  add_cleaner(app);
  return app;
}

void Service::add_pages(web::Application& app) {
  auto file = [this, &app](std::string_view pattern, std::string path) {
    app.get(pattern, [path = options_.folder + path](web::Request& request) -> Coro<web::Response> {
      return web::file_response(request, path);
    });
  };
  file("/", "/index.html");
  file("/robots.txt", "/robots.txt");
  app.get("/static/{name...}", web::StaticFiles(options_.folder));
}

void Service::add_cleaner(web::Application& app) {
  app.on_startup([this](web::Application&) -> Coro<> {
    cleaner_ = create_task([this]() -> Coro<> { co_await cache_.keep_clean(options_.clean); });
    co_return;
  });
  app.on_cleanup([this](web::Application&) -> Coro<> {
    cleaner_->cancel();
    auto outcome = co_await capture(*cleaner_);
    if (!cleaner_->cancelled()) outcome.value();
  });
}

/// Stands for something that takes its time elsewhere: a data base, another service.
Coro<web::Response> Service::work(std::string name) {
  if (!is_word(name)) throw web::HTTPBadRequest("name: up to 64 letters, digits, '-' and '_'");
  std::optional<std::string> kept = cache_.get(name);
  web::Response response;
  response.header("X-Cache", kept ? "hit" : "miss");
  if (!kept) {
    co_await sleep(options_.work);
    kept = json{{"name", name}, {"result", "work on " + name + " is done"}}.dump();
    cache_.put(name, *kept);
  }
  co_return response.json(std::move(*kept));
}

web::Response Service::health() const {
  json report{{"status", stopping_ ? "stopping" : "ok"}};
  web::Response response = web::json_response(report);
  if (stopping_) response.status(http::Status::SERVICE_UNAVAILABLE);
  return response;
}

web::Response Service::metrics() const {
  MetricsText text;
  requests_.write(text);
  text.gauge("notes", "Notes that are kept.", static_cast<double>(notes_.size()));
  text.gauge("chat_members", "Who is in the chat.", static_cast<double>(room_.size()));
  text.gauge("cache_entries", "Answers in the cache.", static_cast<double>(cache_.size()));
  text.counter("cache_hits_total", "Answers from the cache.", static_cast<double>(cache_.hits()));
  text.counter("cache_misses_total", "Answers that had to be worked for.",
               static_cast<double>(cache_.misses()));
  web::Response response(text.take());
  response.content_type("text/plain; version=0.0.4; charset=utf-8");
  return response;
}

void Service::stop() {
  stopping_ = true;
  room_.close();
}

Coro<> serve(Options options) {
  Service service(options);
  web::AppRunner runner(service.application(),
                        web::RunnerOptions().shutdown_timeout(options.grace));
  co_await runner.setup();
  web::TCPSite site(runner, options.host, options.port,
                    ServerOptions().reuse_port(options.reuse_port));
  auto started = co_await capture(site.start());
  if (started) {
    Event stop;
    EventLoop loop = get_running_loop();
    for (int signal : {SIGINT, SIGTERM}) loop.add_signal_handler(signal, [&stop] { stop.set(); });
    for (const SocketAddress& address : runner.addresses())
      std::printf("webservice: http://%s/\n", address.str().c_str());
    std::fflush(stdout);
    co_await stop.wait();
    // They know `stop`, which ends here; the next signal ends the process.
    for (int signal : {SIGINT, SIGTERM}) loop.remove_signal_handler(signal);
    log(LogLevel::info, "webservice", "stopping: no new connections, requests are answered");
    service.stop();
  }
  co_await runner.cleanup();
  started.value();
}

}  // namespace webservice
