// SPDX-License-Identifier: BSL-1.0
/// The endpoints below /collections. `access` outlives the application.
#pragma once

#include "vectordb/server/access.hpp"
#include <asyncio/web/application.hpp>

namespace vectordb {

/// List, create, info, delete, exists.
void add_collections(asyncio::web::Application& app, Access& access);
/// Upsert, get, delete, vectors, payloads.
void add_points(asyncio::web::Application& app, Access& access);
/// Search, query, scroll, count.
void add_searches(asyncio::web::Application& app, Access& access);

}  // namespace vectordb
