// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/service.hpp"

#include "vectordb/server/endpoint.hpp"
#include "vectordb/server/endpoints.hpp"
#include "vectordb/server/errors.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/logging.hpp>
#include <asyncio/stop_signals.hpp>
#include <asyncio/task.hpp>

#include <cstdio>

namespace vectordb {

using namespace asyncio;

namespace {

/// The version of Qdrant whose API it is: clients compare it with their own.
constexpr const char* kHello =
    R"({"title":"vectordb, with the REST API of Qdrant","version":"1.19.0","commit":"asyncio"})";

double seconds_since(TimePoint begin) {
  return std::chrono::duration<double>(get_running_loop().time() - begin).count();
}

std::string two_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

void write_metrics(webservice::MetricsText& text, const Metrics& metrics) {
  auto gauge = [&](const char* name, const char* help, auto value) {
    text.gauge(name, help, static_cast<double>(value));
  };
  auto counter = [&](const char* name, const char* help, auto value) {
    text.counter(name, help, static_cast<double>(value));
  };
  gauge("vectordb_collections", "Collections.", metrics.collections);
  gauge("vectordb_points", "Points of all collections.", metrics.points);
  counter("vectordb_searches_total", "Searches.", metrics.searches);
  counter("vectordb_exact_searches_total", "Searches that looked at every point.",
          metrics.exact_searches);
  counter("vectordb_writes_total", "Writes that were acknowledged.", metrics.writes);
  counter("vectordb_points_written_total", "Points of those writes.", metrics.points_written);
  counter("vectordb_commits_total", "Times the disk was waited for.", metrics.commits);
  counter("vectordb_snapshots_total", "Snapshots that were written.", metrics.snapshots);
}

}  // namespace

ResultText::ResultText(std::string_view json) {
  constexpr std::string_view begin = "{\"result\":";
  text_.reserve(begin.size() + json.size() + 64);
  text_.append(begin).append(json);
}

std::string ResultText::ended(double seconds) && {
  char time[32];
  std::snprintf(time, sizeof time, "%.9g", seconds);
  text_.append(",\"status\":\"ok\",\"time\":").append(time).append("}");
  return std::move(text_);
}

web::Response answer(ResultText result, TimePoint begin) {
  web::Response response;
  response.json(std::move(result).ended(seconds_since(begin)));
  return response;
}

web::Application Service::application() {
  web::Application app;
  app.add_middleware(
      [this](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
        return requests_.measure(request, next, options_.quiet);
      });
  app.add_middleware(error_answers(options_.max_body_bytes));
  if (!options_.api_key.empty()) app.add_middleware(require_api_key(options_.api_key));
  add_health(app);
  add_collections(app, access_);
  add_points(app, access_);
  add_searches(app, access_);
  return app;
}

web::RunnerOptions Service::runner_options() const {
  return web::RunnerOptions()
      .client_max_size(options_.max_body_bytes)
      .shutdown_timeout(options_.grace);
}

void Service::add_health(web::Application& app) {
  app.get("/",
          [](web::Request&) -> Coro<web::Response> { co_return web::Response().json(kHello); });
  for (const char* path : {"/healthz", "/livez"})
    app.get(path, [](web::Request&) -> Coro<web::Response> { co_return "healthz check passed"; });
  app.get("/readyz", [this](web::Request&) -> Coro<web::Response> { co_return ready(); });
  app.get("/metrics", [this](web::Request&) -> Coro<web::Response> { co_return metrics(); });
}

web::Response Service::ready() const {
  if (access_.is_open() && !stopping_) return "all collections are ready";
  web::Response response(stopping_ ? "stopping" : access_.progress_text());
  response.status(http::Status::SERVICE_UNAVAILABLE);
  return response;
}

web::Response Service::metrics() {
  webservice::MetricsText text;
  requests_.write(text);
  if (access_.is_open()) write_metrics(text, access_.database().metrics());
  web::Response response(text.take());
  response.content_type("text/plain; version=0.0.4; charset=utf-8");
  return response;
}

Coro<> Service::open(std::function<void()> begun) {
  TimePoint begin = get_running_loop().time();
  TimePoint told = begin;
  DatabaseOptions options;
  options.threads(options_.threads).progress([&, this](const Progress& progress) {
    if (progress.collection.empty()) {
      if (begun) begun();
      return;
    }
    access_.set_progress(progress);
    TimePoint now = get_running_loop().time();
    if (std::chrono::duration<double>(now - told) < options_.progress_every) return;
    told = now;
    log(LogLevel::info, "vectordb", access_.progress_text());
  });
  access_.open(co_await Database::open(options_.folder, options));
  Metrics metrics = access_.database().metrics();
  log(LogLevel::info, "vectordb",
      "ready: " + std::to_string(metrics.collections) + " collections, " +
          std::to_string(metrics.points) + " points, in " + two_digits(seconds_since(begin)) +
          " s");
}

Coro<> Service::close() {
  std::optional<Database> database = access_.take();
  if (database) co_await database->close();
}

namespace {

/// What cannot be opened cannot be served.
Coro<> open_or_stop(Service& service, StopSignals& signals, std::function<void()> begun) {
  auto opened = co_await capture(service.open(std::move(begun)));
  if (!opened) signals.stop();
  opened.value();
}

/// Opens the data, and goes on until a signal, or until that fails. However it ends, `service` is
/// not being opened any more.
Coro<> open_until_stopped(Service& service, StopSignals& signals, std::function<void()> begun) {
  auto opening = create_task(open_or_stop(service, signals, std::move(begun)));
  auto waited = co_await capture(signals.wait());
  const bool has_failed = opening.done() && !opening.cancelled() && opening.exception() != nullptr;
  if (!has_failed)
    log(LogLevel::info, "vectordb", "stopping: no new connections, requests are answered");
  service.stop();
  opening.cancel();
  auto opened = co_await capture(opening);
  waited.value();
  if (!opened.cancelled()) opened.value();
}

/// Listens, and opens the data meanwhile. Says where once it is sure that there is something to
/// serve: not of a folder that another process has.
Coro<> run_until_stopped(Service& service, const web::AppRunner& runner,
                         const ServeOptions& options) {
  web::TCPSite site(runner, options.host, options.port);
  co_await site.start();
  StopSignals signals;
  auto tell = [&runner] {
    for (const SocketAddress& address : runner.addresses())
      std::printf("vectordb: http://%s/\n", address.str().c_str());
    std::fflush(stdout);
  };
  co_await open_until_stopped(service, signals, tell);
}

}  // namespace

Coro<> serve(ServeOptions options) {
  Service service(options);
  web::AppRunner runner(service.application(), service.runner_options());
  co_await runner.setup();
  // Made now: at the end there may be no memory for them.
  auto cleanup = runner.cleanup();
  auto close = service.close();
  auto served = co_await capture(run_until_stopped(service, runner, options));
  auto cleaned = co_await capture(std::move(cleanup));
  co_await std::move(close);
  served.value();
  cleaned.value();
}

}  // namespace vectordb
