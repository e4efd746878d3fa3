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
  const std::string_view whole = text;
  for (bool more = true; more;) {
    const std::size_t dot = text.find('.');
    more = dot != std::string_view::npos;
    std::string_view part = text.substr(0, dot);
    if (more) text.remove_prefix(dot + 1);
    const std::size_t bracket = std::min(part.find('['), part.size());
    if (bracket == 0)
      throw InvalidArgument(std::string(field), "a path with an empty name: " + brief(whole));
    Step member;
    member.member = part.substr(0, bracket);
    steps_.push_back(std::move(member));
    add_brackets(part.substr(bracket), field);
  }
  if (steps_.size() > Limits::kFilterDepth)
    throw InvalidArgument(std::string(field),
                          "more than " + std::to_string(Limits::kFilterDepth) + " steps");
}

/// "[]", "[3]", "[3][]", ...
void PayloadPath::add_brackets(std::string_view brackets, std::string_view field) {
  while (!brackets.empty()) {
    std::size_t end = brackets.find(']');
    Step step;
    step.elements = true;
    bool good = brackets.front() == '[' && end != std::string_view::npos;
    if (good && end > 1) {
      std::size_t index = 0;
      auto [stop, error] = std::from_chars(&brackets[1], &brackets[end], index);
      good = error == std::errc() && stop == &brackets[end];
      step.index = index;
    }
    if (!good)
      throw InvalidArgument(std::string(field),
                            "brackets hold nothing or a number, not " + brief(brackets));
    steps_.push_back(std::move(step));
    brackets.remove_prefix(end + 1);
  }
}

json* PayloadPath::make_object(json& payload) const {
  json* at = &payload;
  for (const Step& step : steps_) {
    if (step.elements) {
      if (!step.index || !at->is_array() || *step.index >= at->size()) return nullptr;
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
