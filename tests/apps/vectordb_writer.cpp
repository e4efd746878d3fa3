// SPDX-License-Identifier: BSL-1.0
// vectordb_writer FOLDER FIRST: writes into the collection "c" until it is killed, for
// tests/apps/vectordb_crash.cpp. Prints "GROUP VERSION" when a write was acknowledged.
#include "asyncio/asyncio.hpp"
#include "vectordb/engine/database.hpp"
#include "vectordb_groups.hpp"

#include <cstdlib>
#include <string>
#include <unistd.h>

using namespace asyncio;
using namespace vectordb;

namespace {

Coro<> write_group(Collection collection, std::uint64_t group, std::uint64_t first) {
  for (std::uint64_t version = first;; ++version) {
    if (test::is_erased(version))
      co_await collection.erase(test::ids_of(group));
    else
      co_await collection.upsert(test::points_of(group, version));
    const std::string line = std::to_string(group) + ' ' + std::to_string(version) + '\n';
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) co_return;
  }
}

Coro<> write_all(const std::string& folder, std::uint64_t first) {
  DatabaseOptions options;
  options.threads(1).log_bytes(20'000);  // short, so that it is compacted all the time
  Database database = co_await Database::open(folder, options);
  if (!database.contains("c")) co_await database.create("c", CollectionConfig(2, Distance::Dot));
  co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
    for (std::uint64_t i = 0; i < test::kGroups; ++i)
      group.create_task(write_group(database.get("c"), i, first));
    co_return;
  });
  co_await database.close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  run([&]() -> Coro<> { co_await write_all(argv[1], std::strtoull(argv[2], nullptr, 10)); });
}
