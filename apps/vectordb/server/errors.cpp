// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/errors.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/server/answers.hpp"
#include "vectordb/server/endpoint.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/http/errors.hpp>
#include <asyncio/logging.hpp>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vectordb {

using namespace asyncio;

namespace {

double seconds_since(TimePoint begin) {
  return std::chrono::duration<double>(get_running_loop().time() - begin).count();
}

web::Response error_answer(http::Status status, const std::string& text, TimePoint begin) {
  web::Response response(status);
  response.json(error_text(text, seconds_since(begin)));
  return response;
}

bool is_at_or_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// Paths that Qdrant has, in 1.19 or before, and this server has not, and all below them.
bool is_of_qdrant(std::string_view path) {
  static constexpr std::array<std::string_view, 8> others{"/collections", "/aliases",   "/cluster",
                                                          "/snapshots",   "/telemetry", "/locks",
                                                          "/issues",      "/quotas"};
  return std::ranges::any_of(others, [&](auto folder) { return is_at_or_below(path, folder); });
}

/// The same, where this server has an endpoint for another method: "batch" looks like an id.
bool is_of_qdrant(std::string_view method, std::string_view path) {
  constexpr std::string_view all = "/collections/";
  static constexpr std::array<std::string_view, 3> points{"/points/batch", "/points/recommend",
                                                          "/points/discover"};
  const std::string_view below = path.substr(std::min(path.size(), all.size()));
  if (method == "PATCH") return path.starts_with(all) && below.find('/') == below.npos;
  if (method != "POST" || !path.starts_with(all)) return false;
  return below == "aliases" ||
         std::ranges::any_of(points, [&](auto name) { return below.ends_with(name); });
}

/// Of what has no endpoint: the text; makes `status` 501 where Qdrant has one.
std::string missing(const web::Request& request, int& status, std::string_view allowed) {
  std::string asked = std::string(request.method().str()) + " " + request.path();
  const bool wrong_method =
      status == 405 && !is_of_qdrant(request.method().str(), request.raw_path());
  if (wrong_method) return asked + ": not with that method, but with " + std::string(allowed);
  if (status == 404 && !is_of_qdrant(request.path())) return asked + ": there is no such endpoint";
  status = 501;
  return asked + ": this server does not have that part of Qdrant's API";
}

/// Of the library's own refusals: no route, no such method, a body that is no HTTP.
web::Response refused(const web::HTTPException& error, const web::Request& request,
                      std::size_t max_body_bytes, TimePoint begin) {
  int status = error.status().code();
  std::string generic = std::to_string(status) + ": " + std::string(error.status().phrase());
  std::string text = error.response().get_body();
  if (status == 413)
    text = "body: more than " + std::to_string(max_body_bytes) + " bytes, the limit";
  if ((status == 404 && text == generic) || status == 405)
    text = missing(request, status, error.response().headers().get("Allow", ""));
  web::Response response = error_answer(status, text, begin);
  for (std::string_view name : {"Retry-After", "Allow"})
    if (auto value = error.response().headers().get(name)) response.header(name, *value);
  return response;
}

int status_of(const StorageError& error) {
  return error.error_number() == ENOSPC || error.error_number() == EDQUOT ? 507 : 500;
}

/// What the engine, the reading of bodies and the system throw. Cancellations, and what has become
/// of the connection, are the library's business: they go on.
web::Response answer_error(const std::exception_ptr& thrown, const web::Request& request,
                           std::size_t max_body_bytes, TimePoint begin) {
  try {
    std::rethrow_exception(thrown);
  } catch (const web::HTTPException& error) {
    return refused(error, request, max_body_bytes, begin);
  } catch (const InvalidArgument& error) {
    return error_answer(400, error.what(), begin);
  } catch (const CollectionNotFound& error) {
    return error_answer(404, error.what(), begin);
  } catch (const PointNotFound& error) {
    return error_answer(404, error.what(), begin);
  } catch (const CollectionExists& error) {
    return error_answer(409, error.what(), begin);
  } catch (const StorageError& error) {
    log(LogLevel::error, "vectordb", error.what());
    return error_answer(status_of(error), error.what(), begin);
  } catch (const ValueError& error) {  // of the query in the target
    return error_answer(400, error.what(), begin);
  } catch (const ConnectionError&) {
    throw;
  } catch (const TimeoutError&) {
    throw;
  } catch (const IncompleteReadError&) {
    throw;
  } catch (const http::ProtocolError&) {
    throw;
  } catch (const std::exception& error) {  // no memory, no thread, ...
    log(LogLevel::error, "vectordb", std::string(request.target()) + ": " + error.what());
    return error_answer(500, error.what(), begin);
  }
}

/// Takes as long wherever they differ.
bool same_secret(std::string_view given, std::string_view key) {
  unsigned char differs = given.size() == key.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    differs |= static_cast<unsigned char>(given[i] ^ key[i % key.size()]);
  return differs == 0;
}

bool needs_no_key(std::string_view path) {
  static constexpr std::array<std::string_view, 4> open{"/", "/healthz", "/livez", "/readyz"};
  return std::ranges::find(open, path) != open.end();
}

std::string_view given_key(const web::Request& request) {
  std::string_view bearer = request.headers().get("Authorization", "");
  if (bearer.starts_with("Bearer ")) return bearer.substr(7);
  return request.headers().get("api-key", "");
}

}  // namespace

web::Middleware error_answers(std::size_t max_body_bytes) {
  return [max_body_bytes](web::Request& request, const web::Handler& next) -> Coro<web::Response> {
    TimePoint begin = get_running_loop().time();
    auto outcome = co_await capture(next(request));
    if (outcome) co_return std::move(outcome).value();
    co_return answer_error(outcome.exception(), request, max_body_bytes, begin);
  };
}

web::Middleware require_api_key(std::string key) {
  return [key = std::move(key)](web::Request& request,
                                const web::Handler& next) -> Coro<web::Response> {
    if (!needs_no_key(request.raw_path()) && !same_secret(given_key(request), key))
      throw web::HTTPUnauthorized("api-key: missing or wrong");
    co_return co_await next(request);
  };
}

}  // namespace vectordb
