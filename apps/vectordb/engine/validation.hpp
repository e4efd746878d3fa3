// SPDX-License-Identifier: BSL-1.0
/// What is refused before it is written. All throw InvalidArgument.
#pragma once

#include "vectordb/engine/operation.hpp"

#include <cstddef>
#include <string>

namespace vectordb {

void check_limit(std::size_t value, std::size_t most, const std::string& field);
/// About what a payload takes in memory, and on the wire.
std::size_t payload_bytes(const nlohmann::json& payload);
/// Of all results in one answer.
void check_result_vectors(std::size_t numbers);
/// Its dimensions, and that each is a finite number.
void check_vector(const Vector& vector, std::size_t size, const std::string& field);
/// Points, payloads and paths; makes the vectors what is kept of them.
/// Returns: how many bytes the payload of each selected point may grow by, about.
std::size_t prepare(Operation& operation, const CollectionConfig& config);
/// Letters, digits and "_-.", not at the beginning a dot: it names a folder.
void check_name(const std::string& name);

}  // namespace vectordb
