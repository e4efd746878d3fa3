// SPDX-License-Identifier: BSL-1.0
#include "webservice/service.hpp"

#include "webservice/successor.hpp"
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/sleep.hpp>
#include <asyncio/stop_signals.hpp>
#include <asyncio/sync.hpp>
#include <asyncio/tls.hpp>
#include <asyncio/web/file_response.hpp>
#include <asyncio/web/runner.hpp>
#include <asyncio/web/static_files.hpp>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <unistd.h>
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
  json report{{"status", stopping_ ? "stopping" : "ok"}, {"pid", ::getpid()}};
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

void Service::stop(bool is_replaced) {
  stopping_ = !is_replaced;
  room_.close();
}

namespace {

/// With a certificate: https, and HTTP/2 for clients that choose it by ALPN.
ServerOptions site_options(const Options& options) {
  ServerOptions of_site;
  if (options.certificate.empty()) return of_site;
  TlsContext context = create_default_context(TlsPurpose::client_auth);
  context.load_cert_chain(options.certificate, options.key);
  context.set_alpn_protocols({"h2", "http/1.1"});
  of_site.ssl(context);
  return of_site;
}

Coro<> listen(const web::AppRunner& runner, const Options& options) {
  ServerOptions of_site = site_options(options);
  std::vector<int> inherited = inherited_sockets();
  for (int number : inherited) {
    web::SockSite site(runner, number, of_site);
    co_await site.start();
  }
  if (!inherited.empty()) co_return;
  web::TCPSite site(runner, options.host, options.port, of_site);
  co_await site.start();
}

/// What signals ask for: to stop, or, as SIGUSR2 for nginx, Gunicorn and Unicorn, to restart.
class Signals {
 public:
  Signals(const Options& options, const web::AppRunner& runner)
      : options_(options), runner_(runner) {
    loop_.add_signal_handler(SIGUSR2, [this] { begin_restart(); });
  }
  /// There are sockets for a successor from now on.
  void allow_restarts() { may_restart_ = true; }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { loop_.remove_signal_handler(SIGUSR2); }

  /// Until the service is to end. Returns whether there is a successor.
  Coro<bool> wait() {
    co_await stop_.wait();
    const bool was_asked = restart_.has_value();
    if (was_asked) {
      restart_->cancel();
      auto ended = co_await capture(*restart_);
      if (!ended.cancelled()) ended.value();
    }
    co_return is_replaced_;
  }

 private:
  void begin_restart() {
    const bool is_under_way = restart_ && !restart_->done();
    if (stop_.stopped() || is_under_way || !may_restart_) return;
    restart_ = create_task([this]() -> Coro<> { co_await restart(); });
  }
  Coro<> restart() {
    std::string problem;
    try {
      co_await start_successor(options_.command, runner_.sockets());
      is_replaced_ = true;
      stop_.stop();
    } catch (const std::runtime_error& error) {  // OSError and RuntimeError
      problem = error.what();
    }
    if (!is_replaced_) log(LogLevel::error, "webservice", "no restart: " + problem);
  }

  const Options& options_;
  const web::AppRunner& runner_;
  EventLoop loop_ = get_running_loop();
  StopSignals stop_;
  std::optional<Task<>> restart_;
  bool may_restart_ = false;
  bool is_replaced_ = false;
};

void say_where(const web::AppRunner& runner, const char* scheme) {
  for (const SocketAddress& address : runner.addresses())
    std::printf("webservice: %s://%s/\n", scheme, address.str().c_str());
  std::fflush(stdout);
}

/// Returns whether there is a successor.
Coro<bool> run_until_stopped(Signals& signals, const web::AppRunner& runner,
                             const Options& options) {
  co_await listen(runner, options);
  signals.allow_restarts();
  say_where(runner, options.certificate.empty() ? "http" : "https");
  tell_predecessor();
  bool is_replaced = co_await signals.wait();
  co_return is_replaced;
}

}  // namespace

Coro<> serve(Options options) {
  Service service(options);
  web::AppRunner runner(service.application(),
                        web::RunnerOptions().shutdown_timeout(options.grace));
  co_await runner.setup();
  Signals signals(options, runner);
  auto ended = co_await capture(run_until_stopped(signals, runner, options));
  if (ended) {
    log(LogLevel::info, "webservice", "stopping: no new connections, requests are answered");
    service.stop(ended.value());
  }
  co_await runner.cleanup();
  ended.value();
}

}  // namespace webservice
