// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/access.hpp"

#include <asyncio/web/exceptions.hpp>

namespace vectordb {

namespace {

std::string of(std::uint64_t part, std::uint64_t whole) {
  return std::to_string(part) + " of " + std::to_string(whole);
}

/// 100 when it is done, not before.
std::uint64_t percent(const Progress& progress) {
  return progress.total == 0 ? 100 : progress.done * 100 / progress.total;
}

}  // namespace

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
  return "recovering '" + progress_.collection + "', collection " +
         of(progress_.number, progress_.collections) + ": " + of(progress_.done, progress_.total) +
         unit + " (" + std::to_string(percent(progress_)) + " %)";
}

std::string Access::operation(bool waited) {
  return "{\"operation_id\":" + std::to_string(operations_++) + ",\"status\":\"" +
         (waited ? "completed" : "acknowledged") + "\"}";
}

}  // namespace vectordb
