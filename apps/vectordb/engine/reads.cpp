// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/reads.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/stopping.hpp"
#include "vectordb/engine/validation.hpp"

#include <algorithm>
#include <shared_mutex>

namespace vectordb {

namespace {

Record record_of(const PointTable& table, const PointId& id, Slot slot,
                 const PayloadSelector& with_payload, bool with_vector, PayloadRoom& room) {
  Record record;
  record.id = id;
  record.payload = room.take(with_payload, table.entries()[slot].payload);
  if (with_vector) {
    const std::span<const float> vector = table.index().vector(slot);
    record.vector.emplace(vector.begin(), vector.end());
  }
  return record;
}

}  // namespace

std::vector<Record> retrieve(const PointTable& table, const std::vector<PointId>& ids,
                             const PayloadSelector& with_payload, bool with_vector,
                             const std::stop_token& stop) {
  check_limit(ids.size(), Limits::kResults, "ids");
  if (with_vector) check_result_vectors(ids.size() * table.config().size);
  PayloadRoom room;
  std::shared_lock guard(table.lock());
  std::vector<Record> records;
  for (const PointId& id : ids) {
    check(stop);
    auto place = table.ids().find(id);
    if (place != table.ids().end())
      records.push_back(record_of(table, id, place->second, with_payload, with_vector, room));
  }
  return records;
}

ScrollPage scroll(const PointTable& table, const ScrollRequest& request,
                  const std::stop_token& stop) {
  check_limit(request.limit, Limits::kResults, "limit");
  if (request.limit == 0) throw InvalidArgument("limit", "0, less than 1");
  PayloadRoom own;
  PayloadRoom& room = request.room ? *request.room : own;
  std::shared_lock guard(table.lock());
  if (request.with_vector)
    check_result_vectors(std::min(request.limit, table.ids().size()) * table.config().size);
  ScrollPage page;
  auto place = request.offset ? table.ids().lower_bound(*request.offset) : table.ids().begin();
  for (; place != table.ids().end(); ++place) {
    check(stop);
    const auto& [id, slot] = *place;
    if (!request.filter.matches(id, table.entries()[slot].payload, stop)) continue;
    if (page.points.size() == request.limit) {
      page.next_page_offset = id;
      break;
    }
    page.points.push_back(
        record_of(table, id, slot, request.with_payload, request.with_vector, room));
  }
  return page;
}

std::size_t count(const PointTable& table, const Filter& filter, const std::stop_token& stop) {
  std::shared_lock guard(table.lock());
  if (filter.empty()) return table.ids().size();
  return static_cast<std::size_t>(
      std::count_if(table.ids().begin(), table.ids().end(), [&](const auto& point) {
        return filter.matches(point.first, table.entries()[point.second].payload, stop);
      }));
}

}  // namespace vectordb
