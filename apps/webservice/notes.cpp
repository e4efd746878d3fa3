// SPDX-License-Identifier: BSL-1.0
#include "webservice/notes.hpp"

#include <asyncio/http/nlohmann_json.hpp>

#include <utility>

namespace webservice {

using namespace asyncio;
using nlohmann::json;

namespace {

json as_json(int id, const std::string& text) { return json{{"id", id}, {"text", text}}; }

/// The text of a note that a client sends.
Coro<std::string> text_of(web::Request& request, std::size_t longest) {
  json body = co_await request.json<json>();
  auto text = body.is_object() ? body.find("text") : body.end();
  if (text == body.end() || !text->is_string())
    throw web::HTTPUnprocessableEntity(R"(expected {"text": "..."})");
  std::string value = text->get<std::string>();
  if (value.size() > longest) throw web::HTTPUnprocessableEntity("the text is too long");
  co_return value;
}

}  // namespace

void Notes::add_routes(web::Application& app) {
  app.get("/api/notes", [this](web::Request&) -> Coro<web::Response> { co_return list(); });
  app.post("/api/notes", [this](web::Request& request) -> Coro<web::Response> {
    std::string text = co_await text_of(request, kLongest);
    if (texts_.size() >= kMost) throw web::HTTPError<507>("there is no room for more notes");
    int id = ++last_id_;
    texts_.emplace(id, std::move(text));
    web::Response response = one(id);
    response.status(http::Status::CREATED).header("Location", "/api/notes/" + std::to_string(id));
    co_return response;
  });
  app.get("/api/notes/{id:int}",
          [this](web::Request&, int id) -> Coro<web::Response> { co_return one(id); });
  app.put("/api/notes/{id:int}", [this](web::Request& request, int id) -> Coro<web::Response> {
    require(id);
    std::string text = co_await text_of(request, kLongest);
    require(id);  // somebody may have deleted it meanwhile
    texts_[id] = std::move(text);
    co_return one(id);
  });
  app.del("/api/notes/{id:int}", [this](web::Request&, int id) -> Coro<web::Response> {
    require(id);
    texts_.erase(id);
    co_return web::Response(http::Status::NO_CONTENT);
  });
}

web::Response Notes::list() const {
  json all = json::array();
  for (const auto& [id, text] : texts_) all.push_back(as_json(id, text));
  return web::json_response(all);
}

web::Response Notes::one(int id) const {
  require(id);
  return web::json_response(as_json(id, texts_.at(id)));
}

void Notes::require(int id) const {
  if (!texts_.contains(id)) throw web::HTTPNotFound("there is no note " + std::to_string(id));
}

}  // namespace webservice
