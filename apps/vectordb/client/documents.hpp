// SPDX-License-Identifier: BSL-1.0
/// Points that are called by any name: "doc_7". A server takes numbers and UUIDs alone.
#pragma once

#include "vectordb/engine/point.hpp"

#include <string>
#include <string_view>

namespace vectordb {

/// Where the payload of a point keeps its name.
inline constexpr std::string_view kNameKey = "_name";

/// A number ("7", not "007") or a UUID as it is; of any other name its UUID of version 5 (RFC 9562)
/// in the namespace of URLs, which Python's uuid.uuid5 gives as well.
PointId document_id(std::string_view name);

/// The point of a document; its name goes into the payload unless it is an id as it is.
/// Throws: InvalidArgument for an empty name, for a payload that is no object, and for one that has
/// something else as kNameKey.
Point document(std::string_view name, Vector vector,
               nlohmann::json payload = nlohmann::json::object());

/// The name that document() gave it, or its id: also if the name is that of another point.
std::string document_name(const PointId& id, const nlohmann::json& payload);

}  // namespace vectordb
