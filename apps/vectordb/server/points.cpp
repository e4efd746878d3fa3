// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/endpoint.hpp"
#include "vectordb/server/endpoints.hpp"
#include "vectordb/server/requests.hpp"
#include "vectordb/server/time_limit.hpp"
#include <asyncio/capture.hpp>
#include <asyncio/web/exceptions.hpp>

namespace vectordb {

using namespace asyncio;

namespace {

/// Writes are durable and visible when they are answered, whatever `wait` says; it decides what the
/// answer calls that.
bool waits(const web::Request& request) {
  http::MultiDict query = request.query();
  std::string_view wait = query.get("wait", "false");
  if (wait != "true" && wait != "false") throw InvalidArgument("wait", "true or false is expected");
  return wait == "true";
}

/// A write: reads the body, does it, and tells.
template <class T, class F>
void write_route(web::Application& app, Access& access, std::string_view method,
                 std::string_view path, T (*read)(const nlohmann::json&), F change) {
  route(app, method, path,
        [&access, read, change](web::Request& request, std::string name) -> Coro<ResultText> {
          bool waited = waits(request);
          Collection collection = access.collection(name);
          T wanted = co_await read_body(request, read);
          auto outcome = co_await capture(change(collection, std::move(wanted)));
          // As Qdrant: who does not wait is not told.
          if (waited || !outcome.template holds<PointNotFound>()) outcome.value();
          co_return access.operation(waited);
        });
}

void add_payloads(web::Application& app, Access& access) {
  write_route(app, access, "POST", "/collections/{name}/points/payload", &construct<PayloadChange>,
              [](Collection& collection, PayloadChange change) {
                return collection.set_payload(std::move(change.selection), std::move(change.values),
                                              std::move(change.key));
              });
  write_route(app, access, "PUT", "/collections/{name}/points/payload", &construct<PayloadChange>,
              [](Collection& collection, PayloadChange change) {
                return collection.overwrite_payload(std::move(change.selection),
                                                    std::move(change.values));
              });
  write_route(app, access, "POST", "/collections/{name}/points/payload/delete",
              &construct<PayloadRemoval>, [](Collection& collection, PayloadRemoval removal) {
                return collection.delete_payload(std::move(removal.selection),
                                                 std::move(removal.keys));
              });
  write_route(app, access, "POST", "/collections/{name}/points/payload/clear", &selection_of,
              [](Collection& collection, Selection selection) {
                return collection.clear_payload(std::move(selection));
              });
}

Coro<ResultText> one_point(Collection collection, std::string id) {
  std::vector<PointId> ids(1, PointId::from_text(id));
  auto found = co_await collection.retrieve(std::move(ids), true, true);
  if (found.empty()) throw web::HTTPNotFound("point " + id + " does not exist");
  co_return co_await write_result(std::move(found), &first_record);
}

void add_reads(web::Application& app, Access& access) {
  read_route(app, "POST", "/collections/{name}/points",
             [&access](web::Request& request, std::string name) -> Coro<ResultText> {
               Collection collection = access.collection(name);
               auto wanted = co_await read_body(request, &construct<RetrieveRequest>);
               auto found = co_await collection.retrieve(std::move(wanted.ids), wanted.with_payload,
                                                         wanted.with_vector);
               co_return co_await write_result(std::move(found), &records);
             });
  app.get(
      "/collections/{name}/points/{id}",
      [&access](web::Request& request, std::string name, std::string id) -> Coro<web::Response> {
        TimePoint begin = get_running_loop().time();
        auto limit = timeout_of(request);
        Collection collection = access.collection(name);
        ResultText text = co_await within(limit, one_point(std::move(collection), std::move(id)));
        co_return answer(std::move(text), begin);
      });
}

}  // namespace

void add_points(web::Application& app, Access& access) {
  write_route(app, access, "PUT", "/collections/{name}/points", &upsert_of,
              [](Collection& collection, std::vector<Point> points) {
                return collection.upsert(std::move(points));
              });
  write_route(app, access, "PUT", "/collections/{name}/points/vectors", &vectors_of,
              [](Collection& collection, std::vector<Point> points) {
                return collection.update_vectors(std::move(points));
              });
  write_route(app, access, "POST", "/collections/{name}/points/delete", &selection_of,
              [](Collection& collection, Selection selection) {
                return collection.erase(std::move(selection));
              });
  add_payloads(app, access);
  add_reads(app, access);
}

}  // namespace vectordb
