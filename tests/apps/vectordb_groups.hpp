// SPDX-License-Identifier: BSL-1.0
/// What the program that is killed writes, and the test that kills it expects: groups of points,
/// which each write puts in or takes out together.
#pragma once

#include "vectordb/engine/point.hpp"

#include <string>
#include <vector>

namespace test {

inline constexpr std::uint64_t kGroups = 8;
inline constexpr std::uint64_t kGroupSize = 3;

/// Versions are the numbers of a group's writes; some delete it.
inline bool is_erased(std::uint64_t version) { return version % 5 == 0; }

inline std::vector<vectordb::PointId> ids_of(std::uint64_t group) {
  std::vector<vectordb::PointId> ids;
  for (std::uint64_t i = 0; i < kGroupSize; ++i) ids.emplace_back(group * kGroupSize + i);
  return ids;
}

inline std::vector<vectordb::Point> points_of(std::uint64_t group, std::uint64_t version) {
  std::vector<vectordb::Point> points;
  for (const vectordb::PointId& id : ids_of(group)) {
    vectordb::Vector vector = {static_cast<float>(version), static_cast<float>(id.number())};
    nlohmann::json payload = {{"version", version}, {"filler", std::string(version % 300, 'x')}};
    points.emplace_back(id, std::move(vector), std::move(payload));
  }
  return points;
}

}  // namespace test
