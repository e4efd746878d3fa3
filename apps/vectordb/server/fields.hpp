// SPDX-License-Identifier: BSL-1.0
/// The members of an object in a request, read with errors that name them.
#pragma once

#include "vectordb/engine/errors.hpp"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace vectordb {

/// A view: the value outlives it. null is as good as nothing, as for Qdrant.
///
/// All throw InvalidArgument that names the member: "searches[1].limit: ...".
class Fields {
 public:
  /// `path` is empty for the body itself.
  explicit Fields(const nlohmann::json& value, std::string path = {});

  /// Null if it is not there.
  const nlohmann::json* find(std::string_view name) const;
  const nlohmann::json& at(std::string_view name) const;
  const nlohmann::json& array(std::string_view name) const;
  bool flag(std::string_view name, bool otherwise) const;
  /// A whole number; the engine knows the limits.
  std::optional<std::size_t> count(std::string_view name) const;
  std::optional<float> number(std::string_view name) const;
  std::optional<std::string> text(std::string_view name) const;
  /// Refuses what this server would have to pass over, and must not.
  void refuse(std::string_view name, std::string_view why) const;

  /// How errors call a member.
  std::string path(std::string_view name) const;
  std::string path(std::string_view name, std::size_t index) const;

 private:
  const nlohmann::json& value_;
  std::string path_;
};

/// Throws: InvalidArgument: "limit: a whole number is expected, not a string".
[[noreturn]] void refuse_type(std::string path, std::string_view expected,
                              const nlohmann::json& value);

}  // namespace vectordb
