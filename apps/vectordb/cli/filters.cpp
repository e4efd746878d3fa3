// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/filters.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace vectordb::cli {

using nlohmann::json;

namespace {

/// Which points a filter finds.
enum class Found { kNone, kSome, kAll };  // kSome: it depends on them

Found found_by(const json& filter);

bool is_empty_list(const json& condition, const char* pointer) {
  const json::json_pointer path(pointer);
  return condition.contains(path) && condition.at(path).empty();
}

Found found_by_condition(const json& condition) {
  if (is_empty_list(condition, "/has_id") || is_empty_list(condition, "/match/any"))
    return Found::kNone;
  if (condition.contains("nested")) {
    const bool never = found_by(condition.at("nested").at("filter")) == Found::kNone;
    return never ? Found::kNone : Found::kSome;
  }
  for (const char* name : {"has_id", "is_empty", "is_null", "key"})
    if (condition.contains(name)) return Found::kSome;
  return found_by(condition);
}

/// The conditions of a clause: one, an array of them, or none.
class Clause {
 public:
  Clause(const json& parent, const char* name) {
    auto clause = parent.find(name);
    if (clause == parent.end() || clause->is_null()) return;
    if (!clause->is_array()) {
      found_.push_back(found_by_condition(*clause));
      return;
    }
    for (const json& condition : *clause) found_.push_back(found_by_condition(condition));
  }

  std::size_t size() const noexcept { return found_.size(); }
  std::size_t count(Found found) const {
    return static_cast<std::size_t>(std::ranges::count(found_, found));
  }
  /// Which points at least so many of them find.
  Found at_least(std::size_t least) const {
    if (count(Found::kAll) >= least) return Found::kAll;
    return size() - count(Found::kNone) >= least ? Found::kSome : Found::kNone;
  }
  /// Which points none of them finds.
  Found none() const {
    if (count(Found::kNone) == size()) return Found::kAll;
    return count(Found::kAll) == 0 ? Found::kSome : Found::kNone;
  }

 private:
  std::vector<Found> found_;
};

Found found_by(const json& filter) {
  const Clause must(filter, "must"), should(filter, "should"), must_not(filter, "must_not");
  Found found = std::min(must.at_least(must.size()), must_not.none());
  if (should.size() != 0) found = std::min(found, should.at_least(1));
  auto enough = filter.find("min_should");
  if (enough == filter.end() || enough->is_null()) return found;
  const Clause conditions(*enough, "conditions");
  return std::min(found, conditions.at_least(enough->at("min_count").get<std::size_t>()));
}

}  // namespace

bool finds_all(const json& filter) {
  return !filter.is_object() || found_by(filter) == Found::kAll;
}

}  // namespace vectordb::cli
