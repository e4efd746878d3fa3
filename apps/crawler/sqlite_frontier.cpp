// SPDX-License-Identifier: BSL-1.0
#include "crawler/sqlite_frontier.hpp"

#include <asyncio/eventloop.hpp>

#include <utility>

namespace crawler {

using namespace asyncio;

namespace {

// Exclusive: a second crawler on the same file is refused at once.
constexpr const char* kSchema = R"(
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS target (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    depth INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0);
  CREATE INDEX IF NOT EXISTS unfinished ON target (depth, id) WHERE state < 2;
  CREATE TABLE IF NOT EXISTS progress (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    output_size INTEGER NOT NULL);
  UPDATE target SET state = 0 WHERE state = 1;
  COMMIT;
)";

enum State : std::int64_t { kWaiting = 0, kTaken = 1, kDone = 2, kFailed = 3, kExcluded = 4 };

State state_of(Verdict verdict) noexcept {
  if (verdict == Verdict::done) return kDone;
  return verdict == Verdict::failed ? kFailed : kExcluded;
}

}  // namespace

SqliteFrontier::SqliteFrontier(const std::string& path, Output& output)
    : output_(output), database_(path.empty() ? ":memory:" : path), thread_(1, "frontier") {
  database_.execute(kSchema);
  if (path.empty()) return;
  Statement known(database_, "SELECT output_size FROM progress");
  if (known.step()) {
    output_.truncate(static_cast<std::uint64_t>(known.integer(0)));
    return;
  }
  Statement begin(database_, "INSERT INTO progress VALUES (1, ?)");
  begin.bind(1, static_cast<std::int64_t>(output_.size())).run();
}

Coro<> SqliteFrontier::add(std::vector<Target> targets) {
  auto job = [this, targets = std::move(targets)] { add_now(targets); };
  co_await get_running_loop().run_in_executor(thread_, job);
}

Coro<std::vector<Target>> SqliteFrontier::take(std::size_t count) {
  auto job = [this, count] { return take_now(count); };
  co_return co_await get_running_loop().run_in_executor(thread_, job);
}

Coro<> SqliteFrontier::finish(Target target, Verdict verdict, std::vector<Target> links,
                              std::string record) {
  auto job = [this, target = std::move(target), verdict, links = std::move(links),
              record = std::move(record)] { finish_now(target, verdict, links, record); };
  co_await get_running_loop().run_in_executor(thread_, job);
}

Coro<Counts> SqliteFrontier::counts() {
  auto job = [this] { return count_now(); };
  co_return co_await get_running_loop().run_in_executor(thread_, job);
}

void SqliteFrontier::insert(const std::vector<Target>& targets) {
  Statement insert(database_, "INSERT OR IGNORE INTO target (url, depth) VALUES (?, ?)");
  for (const Target& target : targets)
    insert.bind(1, std::string_view(target.url)).bind(2, target.depth).run();
}

void SqliteFrontier::add_now(const std::vector<Target>& targets) {
  Transaction transaction(database_);
  insert(targets);
  transaction.commit();
}

std::vector<Target> SqliteFrontier::take_now(std::size_t count) {
  Transaction transaction(database_);
  Statement select(database_, R"(
    SELECT url, depth, id FROM target
    WHERE state = 0 AND depth = (SELECT min(depth) FROM target WHERE state < 2)
    ORDER BY id LIMIT ?)");
  Statement update(database_, "UPDATE target SET state = 1 WHERE id = ?");
  std::vector<Target> taken;
  std::vector<std::int64_t> ids;
  select.bind(1, static_cast<std::int64_t>(count));
  while (select.step()) {
    taken.emplace_back(select.text(0), static_cast<int>(select.integer(1)));
    ids.push_back(select.integer(2));
  }
  for (std::int64_t id : ids) update.bind(1, id).run();
  transaction.commit();
  return taken;
}

void SqliteFrontier::finish_now(const Target& target, Verdict verdict,
                                const std::vector<Target>& links, const std::string& record) {
  Transaction transaction(database_);
  insert(links);
  Statement update(database_, "UPDATE target SET state = ? WHERE url = ?");
  update.bind(1, state_of(verdict)).bind(2, std::string_view(target.url)).run();
  output_.append(record);
  Statement mark(database_, "UPDATE progress SET output_size = ?");
  mark.bind(1, static_cast<std::int64_t>(output_.size())).run();
  transaction.commit();
}

Counts SqliteFrontier::count_now() {
  Counts counts;
  Statement select(database_, "SELECT state, count(*) FROM target GROUP BY state");
  while (select.step()) {
    auto count = static_cast<std::size_t>(select.integer(1));
    std::int64_t state = select.integer(0);
    (state == kDone       ? counts.done
     : state == kFailed   ? counts.failed
     : state == kExcluded ? counts.excluded
                          : counts.waiting) += count;
  }
  return counts;
}

}  // namespace crawler
