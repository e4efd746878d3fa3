// SPDX-License-Identifier: BSL-1.0
/// How the client's values look on the wire.
#pragma once

#include "vectordb/client/client.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb::wire {

/// "/collections/NAME" and `rest`.
/// Throws: InvalidArgument for a name that a path cannot have.
std::string collection_path(const std::string& name, std::string_view rest = {});
/// As JSON is written. Throws: InvalidArgument that names the member whose text is not UTF-8.
std::string text_of(const nlohmann::json& body);
/// The body of an upsert, as text; `first` is the number of its first point in what errors name.
/// Throws: InvalidArgument for a vector that is not finite, and as text_of().
std::string points(std::span<const Point> points, std::size_t first = 0);
/// Throws: InvalidArgument for a vector that is not finite.
nlohmann::json search(const Vector& query, std::size_t top_k);
nlohmann::json ids(const std::vector<PointId>& ids);
nlohmann::json selection(const Selection& selection);
nlohmann::json filtered(const Filter& filter);
nlohmann::json scroll(const ScrollRequest& request);

// Throw: nlohmann::json::exception and InvalidArgument for what is none.
std::vector<Match> matches(const nlohmann::json& result);
Record record(const nlohmann::json& value);
std::vector<Record> records(const nlohmann::json& result);
ScrollPage page(const nlohmann::json& result);
std::vector<std::string> names(const nlohmann::json& result);

}  // namespace vectordb::wire
