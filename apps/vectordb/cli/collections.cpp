// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/commands.hpp"
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

}  // namespace

Status create(AsyncVectorDB& db, const Options& options) {
  CollectionConfig config = config_of(options);
  co_await db.create_collection(options.collection, config);
  if (!options.quiet) std::printf("created %s\n", options.collection.c_str());
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
    if (!options.json) std::printf("%s\n", name.c_str());
  co_return kDone;
}

Status remove(AsyncVectorDB& db, const Options& options) {
  if (options.all) {
    bool existed = co_await db.delete_collection(options.collection);
    if (!existed) std::fprintf(stderr, "vectordb: there is no '%s'\n", options.collection.c_str());
    co_return existed ? kDone : kNotFound;
  }
  if (options.ids.empty() && options.filter.empty()) {
    std::fprintf(stderr, "vectordb: delete: say which: ids, --filter or --all\n");
    co_return kUsage;
  }
  Selection selection = filter_option(options);
  std::vector<PointId> ids;
  for (const std::string& id : options.ids) ids.push_back(document_id(id));
  if (!ids.empty()) selection = std::move(ids);
  co_await db.remove(options.collection, std::move(selection));
  co_return kDone;
}

}  // namespace vectordb::cli
