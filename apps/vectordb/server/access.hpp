// SPDX-License-Identifier: BSL-1.0
/// The data base that requests are about, once it is open.
#pragma once

#include "vectordb/engine/database.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace vectordb {

/// Thread   the loop's.
class Access {
 public:
  Access() = default;
  Access(const Access&) = delete;
  Access& operator=(const Access&) = delete;

  /// Throws: HTTPServiceUnavailable that says how far the recovery is.
  Database& database();
  /// Throws: that, CollectionNotFound.
  Collection collection(const std::string& name) { return database().get(name); }

  bool is_open() const noexcept { return database_.has_value(); }
  /// "recovering 'documents', collection 2 of 3: 5000 of 10000 points indexed (50 %)"
  std::string progress_text() const;

  void set_progress(const Progress& progress) { progress_ = progress; }
  void open(Database database) { database_.emplace(std::move(database)); }
  /// Requests are refused from now on.
  std::optional<Database> take() { return std::exchange(database_, std::nullopt); }

  /// Of a write that is done, as an answer has it.
  std::string operation(bool waited);

 private:
  std::optional<Database> database_;
  Progress progress_;
  std::uint64_t operations_ = 0;
};

}  // namespace vectordb
