// SPDX-License-Identifier: BSL-1.0
/// What can be said of a filter without the points.
#pragma once

#include <nlohmann/json.hpp>

namespace vectordb::cli {

/// Whether it finds every point, whatever they are: it has no condition at any depth, say, or
/// `must_not` of what no point is.
bool finds_all(const nlohmann::json& filter);

}  // namespace vectordb::cli
