// SPDX-License-Identifier: BSL-1.0
/// A path into a payload: "a.b", "a[].b", "a[0]"; a name with a dot or a bracket in quotes.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vectordb {

class PayloadPath {
 public:
  /// Throws: InvalidArgument with `field` if it has an empty name or a quote without an end, or its
  ///         brackets hold no number.
  explicit PayloadPath(std::string_view text, std::string_view field = "key");

  /// Calls `visit(value)` for what is there, until that returns true; whether it did. With `[]`
  /// there may be several values.
  template <class Visit>
  bool any_of(const nlohmann::json& payload, Visit&& visit) const {
    return walk(payload, 0, visit);
  }

  /// The object at the path; what is in its way is replaced. Null, and nothing is changed, if it
  /// leads through `[]` or an element that is not there.
  nlohmann::json* make_object(nlohmann::json& payload) const;
  void erase(nlohmann::json& payload) const;
  /// Puts what is at the path in `from` into `to`, in the same place.
  void copy(const nlohmann::json& from, nlohmann::json& to) const;

 private:
  struct Step {
    std::string member;                ///< of an object; unless it is for elements
    bool elements = false;             ///< all of an array, or one
    std::optional<std::size_t> index;  ///< that one
  };

  static std::string take_name(std::string_view& rest);
  void take_bracket(std::string_view& rest, std::string_view field);
  bool can_make(const nlohmann::json& payload) const;
  static void erase(nlohmann::json& value, const std::vector<Step>& steps, std::size_t depth);

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

}  // namespace vectordb
