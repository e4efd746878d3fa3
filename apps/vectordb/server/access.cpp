// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/access.hpp"

#include <asyncio/web/exceptions.hpp>

namespace vectordb {

Database& Access::database() {
  if (!database_) {
    asyncio::web::HTTPServiceUnavailable refused(progress_text());
    refused.headers().set("Retry-After", "1");
    throw refused;
  }
  return *database_;
}

std::string Access::progress_text() const {
  if (progress_.collection.empty()) return "the data base is being opened, or closed";
  const char* unit = progress_.step == Progress::Step::reading ? " bytes read" : " points indexed";
  return "recovering '" + progress_.collection + "': " + std::to_string(progress_.done) + " of " +
         std::to_string(progress_.total) + unit;
}

std::string Access::operation(bool waited) {
  return "{\"operation_id\":" + std::to_string(operations_++) + ",\"status\":\"" +
         (waited ? "completed" : "acknowledged") + "\"}";
}

}  // namespace vectordb
