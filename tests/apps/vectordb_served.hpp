// SPDX-License-Identifier: BSL-1.0
/// The server of apps/vectordb in the process of a test, on a folder of its own.
#pragma once

#include "../http/served.hpp"
#include "vectordb/client/client.hpp"
#include "vectordb/server/service.hpp"
#include "vectordb_folder.hpp"
#include <asyncio/asyncio.hpp>
#include <asyncio/http/client.hpp>
#include <asyncio/http/nlohmann_json.hpp>

#include <string>
#include <utility>

namespace test {

/// What a server said.
class Said {
 public:
  Said(int code, std::string text) : status(code), body(std::move(text)) {}

  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  nlohmann::json result() const {
    nlohmann::json all = json();
    return all.is_object() ? all.value("result", nlohmann::json()) : nlohmann::json();
  }
  std::string error() const {
    nlohmann::json all = json();
    bool has_text = all.is_object() && all.contains("status") && all["status"].is_object();
    return has_text ? all["status"].value("error", "") : "";
  }

  int status;
  std::string body;
};

/// A service that is being served, and a session that asks it.
class VectorDB {
 public:
  VectorDB(vectordb::Service& service, Served served)
      : service_(service),
        served_(std::move(served)),
        session_(asyncio::http::SessionOptions().base_url(served_.url())) {}

  vectordb::Service& service() const noexcept { return service_; }
  const asyncio::http::ClientSession& session() const noexcept { return session_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(served_.port()); }

  asyncio::Coro<Said> ask(std::string method, std::string path, std::string body = {},
                          asyncio::http::RequestOptions options = {}) const {
    if (!body.empty()) options.json(std::move(body));
    asyncio::http::ClientResponse response =
        co_await session_.request(asyncio::http::Method(method), path, options);
    std::string text = co_await response.read();
    co_return Said(response.status().code(), std::move(text));
  }
  asyncio::Coro<> close() const {
    session_.close();
    co_await served_.cleanup();
    co_await service_.close();
  }

 private:
  vectordb::Service& service_;
  Served served_;
  asyncio::http::ClientSession session_;
};

/// One thread, for the thread sanitizer's sake: see open() of vectordb_folder.hpp.
inline vectordb::ServeOptions serve_options(const Folder& folder) {
  vectordb::ServeOptions options;
  options.folder = folder.path();
  options.threads = 1;
  options.quiet = true;
  return options;
}

/// Runs `body(VectorDB&)` with a server; it has read its data unless `opened` is false.
template <class F>
void with_vectordb(vectordb::ServeOptions options, F body, bool opened = true) {
  asyncio::run([&]() -> asyncio::Coro<> {
    vectordb::Service service(options);
    Served served = co_await serve(service.application(), service.runner_options());
    if (opened) co_await service.open();
    VectorDB db(service, std::move(served));
    auto outcome = co_await asyncio::capture(body(db));
    co_await db.close();
    outcome.value();
  });
}
template <class F>
void with_vectordb(F body) {
  Folder folder;
  with_vectordb(serve_options(folder), std::move(body));
}

}  // namespace test
