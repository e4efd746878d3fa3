// SPDX-License-Identifier: BSL-1.0
/// A write, as it is in the log.
#pragma once

#include "vectordb/engine/requests.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb {

/// To be applied in the order of the log: what a filter selects depends on what was before.
struct Operation {
  enum class Kind : std::uint8_t {
    upsert = 1,
    update_vectors = 2,
    erase = 3,
    set_payload = 4,
    overwrite_payload = 5,
    delete_payload = 6,
    clear_payload = 7,
  };

  Kind kind = Kind::upsert;
  std::vector<Point> points;      ///< upsert, update_vectors
  Selection selection;            ///< the others
  nlohmann::json values;          ///< set_payload, overwrite_payload
  std::vector<std::string> keys;  ///< delete_payload; one or none for set_payload
};

/// Appends it to `bytes`. Throws: Error for a value from 4 GiB on.
void encode(const Operation& operation, std::string& bytes);
/// Takes one off the front of `bytes`. Throws: CorruptionError.
Operation decode(std::string_view& bytes);

}  // namespace vectordb
