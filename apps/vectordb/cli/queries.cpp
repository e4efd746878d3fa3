// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/output.hpp"
#include "vectordb/engine/config.hpp"

#include <cstdio>
#include <iostream>
#include <iterator>

namespace vectordb::cli {

using namespace asyncio;
using nlohmann::json;

namespace {

Vector vector_option(const Options& options) {
  std::string text = options.vector;
  if (text == "-") text.assign(std::istreambuf_iterator<char>(std::cin), {});
  return vector_from_json(parse_option(text, "--vector"), "--vector");
}

SearchOptions search_options(const Options& options) {
  SearchOptions search;
  search.filter(filter_option(options)).exact(options.exact);
  if (options.ef) search.hnsw_ef(*options.ef);
  if (options.threshold) search.score_threshold(*options.threshold);
  return search;
}

std::string score_text(float score) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(score));
  return text;
}

void print_matches(const std::vector<Match>& matches, bool as_json) {
  json all = json::array();
  Table table({"document", "score", "payload"});
  for (const Match& match : matches) {
    all.push_back({{"document", match.document},
                   {"id", match.id.to_json()},
                   {"score", match.score},
                   {"payload", match.payload}});
    table.add({match.document, score_text(match.score), match.payload.dump()});
  }
  if (as_json)
    print_json(all);
  else
    table.print();
}

Coro<Vector> vector_of_point(AsyncVectorDB& db, const Options& options) {
  auto record = co_await db.get(options.collection, options.near);
  if (!record || !record->vector)
    throw NotFound("search '" + options.collection + "': there is no point " + options.near, 404);
  co_return std::move(*record->vector);
}

}  // namespace

Status search(AsyncVectorDB& db, const Options& options) {
  if (options.vector.empty() && options.near.empty()) {
    std::fprintf(stderr, "vectordb: search: say what is to be near: --vector or --near\n");
    co_return kUsage;
  }
  SearchOptions how = search_options(options);
  Vector query;
  std::size_t limit = options.limit;
  if (options.near.empty()) {
    query = vector_option(options);
  } else {
    query = co_await vector_of_point(db, options);
    if (limit < Limits::kResults) ++limit;  // it finds itself; at the most there is one fewer
  }
  auto matches = co_await db.search(options.collection, std::move(query), limit, how);
  if (!options.near.empty()) {
    PointId itself = document_id(options.near);
    std::erase_if(matches, [&](const Match& match) { return match.id == itself; });
    if (matches.size() > options.limit) matches.pop_back();
  }
  print_matches(matches, options.json);
  co_return kDone;
}

Status get(AsyncVectorDB& db, const Options& options) {
  std::vector<PointId> ids;
  for (const std::string& id : options.ids) ids.push_back(document_id(id));
  std::size_t wanted = ids.size();
  auto records = co_await db.get(options.collection, std::move(ids));
  json all = json::array();
  for (const Record& record : records) all.push_back(to_json(record));
  if (options.json) print_json(all);
  for (const json& one : all)
    if (!options.json) print(one.dump() + '\n');
  if (records.size() == wanted) co_return kDone;
  std::fprintf(stderr, "vectordb: %zu of %zu points do not exist\n", wanted - records.size(),
               wanted);
  co_return kNotFound;
}

}  // namespace vectordb::cli
