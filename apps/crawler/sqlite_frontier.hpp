// SPDX-License-Identifier: BSL-1.0
/// The frontier that comes with the crawler: a SQLite file.
#pragma once

#include "crawler/frontier.hpp"
#include "crawler/output.hpp"
#include "crawler/sqlite.hpp"
#include <asyncio/executor.hpp>
#include <asyncio/threads.hpp>

#include <string>

namespace crawler {

/// SQLite has no asynchronous interface: all that touches the file and the output happens in a
/// thread of its own, one operation after another. The length of the output is committed together
/// with each record, so that after a crash of the program the two agree.
class SqliteFrontier final : public Frontier {
 public:
  /// In memory without a path.
  /// Throws: DatabaseError if the file is none of ours, or another crawler has it; OutputError if
  /// the output is shorter than it was.
  SqliteFrontier(const std::string& path, Output& output);

  asyncio::Coro<> add(std::vector<Target> targets) override;
  asyncio::Coro<std::vector<Target>> take(std::size_t count) override;
  asyncio::Coro<> finish(Target target, Verdict verdict, std::vector<Target> links,
                         std::string record) override;
  asyncio::Coro<Counts> counts() override;

 private:
  void insert(const std::vector<Target>& targets);
  void add_now(const std::vector<Target>& targets);
  std::vector<Target> take_now(std::size_t count);
  void finish_now(const Target& target, Verdict verdict, const std::vector<Target>& links,
                  const std::string& record);
  Counts count_now();

  Output& output_;
  Database database_;
  asyncio::ThreadPoolExecutor thread_;  // last: it ends before what it works on
};

}  // namespace crawler
