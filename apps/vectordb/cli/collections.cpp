// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
#include "vectordb/cli/filters.hpp"
#include "vectordb/cli/output.hpp"

#include <cstdio>

namespace vectordb::cli {

using namespace asyncio;
using nlohmann::json;

namespace {

CollectionConfig config_of(const Options& options) {
  CollectionConfig config(options.dim, distance_from_json(options.distance));
  if (options.m) config.hnsw.m = *options.m;
  if (options.ef_construct) config.hnsw.ef_construct = *options.ef_construct;
  return config;
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

/// What servers say under these names; not every server says all.
std::string at(const json& info, const char* pointer) {
  json::json_pointer path(pointer);
  return info.contains(path) ? text_of(info.at(path)) : "";
}

void print_info(const std::string& name, const json& info) {
  Table table({"collection", name});
  table.add({"status", at(info, "/status")});
  table.add({"points", at(info, "/points_count")});
  table.add({"dimensions", at(info, "/config/params/vectors/size")});
  table.add({"distance", at(info, "/config/params/vectors/distance")});
  table.add({"m", at(info, "/config/hnsw_config/m")});
  table.add({"ef_construct", at(info, "/config/hnsw_config/ef_construct")});
  table.print();
}

/// What --json says of something that was done.
void print_report(const char* done, const json& what) {
  json report;
  report[done] = what;
  print_json(report);
}

/// What finds the same points.
Filter filter_of(const Selection& selection) {
  const auto* ids = std::get_if<std::vector<PointId>>(&selection);
  if (!ids) return std::get<Filter>(selection);
  json condition;
  for (const PointId& id : *ids) condition["has_id"].push_back(id.to_json());
  json filter;
  filter["must"].push_back(std::move(condition));
  return Filter::from_json(filter);
}

/// A script whose variable is unset would write such a filter, and lose everything.
Filter narrow_filter(const Options& options) {
  Filter filter = filter_option(options);
  if (!options.filter.empty() && finds_all(filter.to_json()))
    throw InvalidArgument(
        "--filter", "finds every point: " + options.filter + "; --all deletes the collection");
  return filter;
}

/// A server does not say how many it has deleted: they are counted before, if somebody asks.
Coro<> remove_points(AsyncVectorDB& db, const Options& options, Selection selection) {
  std::size_t count = 0;
  Filter same = filter_of(selection);
  if (options.json) count = co_await db.count(options.collection, std::move(same));
  co_await db.remove(options.collection, std::move(selection));
  if (options.json) print_report("deleted", count);
}

Status remove_collection(AsyncVectorDB& db, const Options& options) {
  bool existed = co_await db.delete_collection(options.collection);
  if (!existed) std::fprintf(stderr, "vectordb: there is no '%s'\n", options.collection.c_str());
  if (existed && options.json) print_report("deleted", options.collection);
  co_return existed ? kDone : kNotFound;
}

}  // namespace

Status create(AsyncVectorDB& db, const Options& options) {
  CollectionConfig config = config_of(options);
  co_await db.create_collection(options.collection, config);
  if (options.json)
    print_report("created", options.collection);
  else if (!options.quiet)
    print("created " + options.collection + '\n');
  co_return kDone;
}

Status info(AsyncVectorDB& db, const Options& options) {
  if (!options.collection.empty()) {
    json about = co_await db.info(options.collection);
    if (options.json)
      print_json(about);
    else
      print_info(options.collection, about);
    co_return kDone;
  }
  std::vector<std::string> names = co_await db.collections();
  if (options.json) print_json(names);
  for (const std::string& name : names)
    if (!options.json) print(name + '\n');
  co_return kDone;
}

Status remove(AsyncVectorDB& db, const Options& options) {
  if (options.all) {
    int status = co_await remove_collection(db, options);
    co_return status;
  }
  if (options.ids.empty() && options.filter.empty()) {
    std::fprintf(stderr, "vectordb: delete: say which: ids, --filter or --all\n");
    co_return kUsage;
  }
  Selection selection = narrow_filter(options);
  std::vector<PointId> ids;
  for (const std::string& id : options.ids) ids.push_back(document_id(id));
  if (!ids.empty()) selection = std::move(ids);
  co_await remove_points(db, options, std::move(selection));
  co_return kDone;
}

}  // namespace vectordb::cli
