// SPDX-License-Identifier: BSL-1.0
/// A path into a payload: "a.b", "a[].b", "a[0]"; a name with a dot or a bracket in quotes.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb {

class PayloadPath {
 public:
  struct Step {
    std::string member;                ///< of an object; unless it is for elements
    bool elements = false;             ///< all of an array, or one
    std::optional<std::size_t> index;  ///< that one
  };

  /// Throws: InvalidArgument with `field` if it has an empty name or a quote without an end, or its
  ///         brackets hold no number.
  explicit PayloadPath(std::string_view text, std::string_view field = "key");

  /// Calls `visit(value)` for what is there, until that returns true; whether it did. With `[]`
  /// there may be several values.
  template <class Visit>
  bool any_of(const nlohmann::json& payload, Visit&& visit) const {
    return walk(payload, 0, visit);
  }

  const std::vector<Step>& steps() const noexcept { return steps_; }
  /// Whether there may be several values.
  bool is_of_many() const noexcept;

  /// Puts the members of `values` into the object at the path, or into each with `[]`; null removes
  /// one. As Qdrant: what is in the way becomes an object, or an array without elements; an element
  /// that is not there is left alone.
  void merge(nlohmann::json& payload, const nlohmann::json& values) const;
  /// How many objects that would be.
  std::size_t targets(const nlohmann::json& payload) const;
  /// As Qdrant: an element alone stays, as those behind it would change their places.
  void erase(nlohmann::json& payload) const;

 private:
  using Steps = std::span<const Step>;

  static std::string take_name(std::string_view& rest);
  void take_bracket(std::string_view& rest, std::string_view field);
  static void merge(nlohmann::json& value, Steps steps, const nlohmann::json& values);
  static std::size_t targets(const nlohmann::json* value, Steps steps);
  static void erase(nlohmann::json& value, Steps steps);

  template <class Visit>
  bool walk(const nlohmann::json& value, std::size_t depth, Visit& visit) const {
    if (depth == steps_.size()) return visit(value);
    const Step& step = steps_[depth];
    if (!step.elements) {
      auto found = value.is_object() ? value.find(step.member) : value.end();
      return found != value.end() && walk(*found, depth + 1, visit);
    }
    if (!value.is_array()) return false;
    if (step.index) return *step.index < value.size() && walk(value[*step.index], depth + 1, visit);
    for (const nlohmann::json& element : value)
      if (walk(element, depth + 1, visit)) return true;
    return false;
  }

  std::vector<Step> steps_;
};

/// Puts the members of `values` into `object`; null removes one.
void merge_members(nlohmann::json& object, const nlohmann::json& values);

}  // namespace vectordb
