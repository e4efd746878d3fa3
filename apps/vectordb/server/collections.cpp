// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/answers.hpp"
#include "vectordb/server/endpoint.hpp"
#include "vectordb/server/endpoints.hpp"
#include <asyncio/capture.hpp>

namespace vectordb {

using namespace asyncio;
using nlohmann::json;

namespace {

std::string names_text(const std::vector<std::string>& names) {
  json all = json::array();
  for (const std::string& name : names) all.push_back({{"name", name}});
  json result;
  result["collections"] = std::move(all);
  return result.dump();
}

std::string exists_text(bool exists) {
  return exists ? R"({"exists":true})" : R"({"exists":false})";
}

}  // namespace

void add_collections(web::Application& app, Access& access) {
  app.get("/collections", [&access](web::Request&) -> Coro<web::Response> {
    TimePoint begin = get_running_loop().time();
    co_return answer(names_text(access.database().list()), begin);
  });
  route(app, "PUT", "/collections/{name}",
        [&access](web::Request& request, std::string name) -> Coro<std::string> {
          access.database();  // before a body is read in vain
          auto config = co_await read_body(request, &CollectionConfig::from_json);
          co_await access.database().create(std::move(name), config);
          co_return "true";
        });
  route(app, "GET", "/collections/{name}",
        [&access](web::Request&, std::string name) -> Coro<std::string> {
          Collection collection = access.collection(name);
          CollectionInfo about = co_await collection.info();
          co_return info(about).dump();
        });
  route(app, "DELETE", "/collections/{name}",
        [&access](web::Request&, std::string name) -> Coro<std::string> {
          auto outcome = co_await capture(access.database().erase(std::move(name)));
          if (outcome.holds<CollectionNotFound>()) co_return "false";
          outcome.value();
          co_return "true";
        });
  route(app, "GET", "/collections/{name}/exists",
        [&access](web::Request&, std::string name) -> Coro<std::string> {
          co_return exists_text(access.database().contains(name));
        });
}

}  // namespace vectordb
