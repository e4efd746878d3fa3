// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/payload_path.hpp"

#include "vectordb/engine/config.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/point.hpp"

#include <algorithm>
#include <charconv>

namespace vectordb {

using nlohmann::json;

PayloadPath::PayloadPath(std::string_view text, std::string_view field) {
  std::string_view rest = text;
  for (bool more = true; more;) {
    Step member;
    member.member = take_name(rest);
    if (member.member.empty())
      throw InvalidArgument(std::string(field), "a path with an empty name: " + brief(text));
    steps_.push_back(std::move(member));
    while (rest.starts_with('[')) take_bracket(rest, field);
    more = rest.starts_with('.');
    if (more) rest.remove_prefix(1);
  }
  if (!rest.empty())
    throw InvalidArgument(std::string(field), "a path that goes on with " + brief(rest));
  if (steps_.size() > Limits::kFilterDepth)
    throw InvalidArgument(std::string(field),
                          "more than " + std::to_string(Limits::kFilterDepth) + " steps");
}

/// Empty if there is none.
std::string PayloadPath::take_name(std::string_view& rest) {
  const bool is_quoted = rest.starts_with('"');
  const std::size_t begin = is_quoted ? 1 : 0;
  std::size_t end = is_quoted ? rest.find('"', 1) : rest.find_first_of(".[");
  if (end == std::string_view::npos) end = is_quoted ? begin : rest.size();
  std::string name(rest.substr(begin, end - begin));
  rest.remove_prefix(std::min(end + begin, rest.size()));
  return name;
}

/// "[]" or "[3]".
void PayloadPath::take_bracket(std::string_view& rest, std::string_view field) {
  const std::size_t end = rest.find(']');
  Step step;
  step.elements = true;
  bool good = end != std::string_view::npos;
  if (good && end > 1) {
    std::size_t index = 0;
    auto [stop, error] = std::from_chars(&rest[1], &rest[end], index);
    good = error == std::errc() && stop == &rest[end];
    step.index = index;
  }
  if (!good)
    throw InvalidArgument(std::string(field),
                          "brackets hold nothing or a number, not " + brief(rest));
  steps_.push_back(std::move(step));
  rest.remove_prefix(end + 1);
}

bool PayloadPath::is_of_many() const noexcept {
  return std::ranges::any_of(steps_, [](const Step& step) { return step.elements && !step.index; });
}

void merge_members(json& object, const json& values) {
  for (const auto& [name, value] : values.items()) {
    if (value.is_null())
      object.erase(name);
    else
      object[name] = value;
  }
}

void PayloadPath::merge(json& payload, const json& values) const { merge(payload, steps_, values); }

void PayloadPath::merge(json& value, Steps steps, const json& values) {
  const bool is_array = !steps.empty() && steps.front().elements;
  if (is_array && !value.is_array()) value = json::array();
  if (!is_array && !value.is_object()) value = json::object();
  if (steps.empty()) return merge_members(value, values);
  const Step& step = steps.front();
  const Steps rest = steps.subspan(1);
  if (!step.elements) return merge(value[step.member], rest, values);
  if (!step.index) {
    for (json& element : value) merge(element, rest, values);
  } else if (*step.index < value.size()) {
    merge(value[*step.index], rest, values);
  }
}

std::size_t PayloadPath::targets(const json& payload) const { return targets(&payload, steps_); }

/// `value` is null where nothing is yet.
std::size_t PayloadPath::targets(const json* value, Steps steps) {
  if (steps.empty()) return 1;
  const Step& step = steps.front();
  const Steps rest = steps.subspan(1);
  if (!step.elements) {
    const bool is_there = value && value->is_object() && value->contains(step.member);
    return targets(is_there ? &(*value)[step.member] : nullptr, rest);
  }
  if (!value || !value->is_array()) return 0;
  if (step.index) return *step.index < value->size() ? targets(&(*value)[*step.index], rest) : 0;
  std::size_t sum = 0;
  for (const json& element : *value) sum += targets(&element, rest);
  return sum;
}

void PayloadPath::erase(json& payload) const { erase(payload, steps_); }

void PayloadPath::erase(json& value, Steps steps) {
  const Step& step = steps.front();
  const Steps rest = steps.subspan(1);
  if (!step.elements) {
    auto found = value.is_object() ? value.find(step.member) : value.end();
    if (found == value.end()) return;
    if (rest.empty())
      value.erase(found);
    else
      erase(*found, rest);
  } else if (!value.is_array() || (step.index && (rest.empty() || *step.index >= value.size()))) {
    return;
  } else if (rest.empty()) {
    value.clear();
  } else if (step.index) {
    erase(value[*step.index], rest);
  } else {
    for (json& element : value) erase(element, rest);
  }
}

}  // namespace vectordb
