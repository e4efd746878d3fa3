// SPDX-License-Identifier: BSL-1.0
/// The parts of payloads that paths lead to.
#pragma once

#include "vectordb/engine/payload_path.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace vectordb {

/// As Qdrant takes parts: "a[].b" are those of the elements of the array a, and an element alone,
/// "a[0]", is no part.
class PayloadParts {
 public:
  void add(const PayloadPath& path);

  /// The parts, and what they are in: of an array those elements that a path leads through, of what
  /// is neither array nor object all.
  nlohmann::json only(const nlohmann::json& value) const;
  nlohmann::json without(const nlohmann::json& value) const;

 private:
  std::map<std::string, std::unique_ptr<PayloadParts>, std::less<>> members_;  // of an object
  std::unique_ptr<PayloadParts> elements_;                                     // of an array, each
  bool whole_ = false;
};

}  // namespace vectordb
