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

/// Whether no step is for elements that are not there.
bool PayloadPath::can_make(const json& payload) const {
  const json* at = &payload;  // null behind what is there
  for (const Step& step : steps_) {
    if (step.elements) {
      if (!at || !step.index || !at->is_array() || *step.index >= at->size()) return false;
      at = &(*at)[*step.index];
    } else if (at) {
      auto found = at->is_object() ? at->find(step.member) : at->end();
      at = found == at->end() ? nullptr : &*found;
    }
  }
  return true;
}

json* PayloadPath::make_object(json& payload) const {
  if (!can_make(payload)) return nullptr;
  json* at = &payload;
  for (const Step& step : steps_) {
    if (step.elements) {
      at = &(*at)[*step.index];
    } else {
      if (!at->is_object()) *at = json::object();
      at = &(*at)[step.member];
    }
  }
  if (!at->is_object()) *at = json::object();
  return at;
}

void PayloadPath::erase(json& payload) const { erase(payload, steps_, 0); }

void PayloadPath::erase(json& value, const std::vector<Step>& steps, std::size_t depth) {
  const Step& step = steps[depth];
  const bool last = depth + 1 == steps.size();
  if (!step.elements) {
    auto found = value.is_object() ? value.find(step.member) : value.end();
    if (found == value.end()) return;
    if (last)
      value.erase(found);
    else
      erase(*found, steps, depth + 1);
    return;
  }
  if (!value.is_array()) return;
  if (step.index && *step.index >= value.size()) return;
  if (last) {
    if (step.index)
      value.erase(*step.index);
    else
      value.clear();
  } else if (step.index) {
    erase(value[*step.index], steps, depth + 1);
  } else {
    for (json& element : value) erase(element, steps, depth + 1);
  }
}

void PayloadPath::copy(const json& from, json& to) const {
  const json* source = &from;
  std::size_t depth = 0;
  // An array is taken as a whole: its elements have no place of their own in the copy.
  for (; depth < steps_.size() && !steps_[depth].elements; ++depth) {
    auto found = source->is_object() ? source->find(steps_[depth].member) : source->end();
    if (found == source->end()) return;
    source = &*found;
  }
  json* target = &to;
  for (std::size_t i = 0; i < depth; ++i) target = &(*target)[steps_[i].member];
  *target = *source;
}

}  // namespace vectordb
