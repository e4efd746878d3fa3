// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/payload_parts.hpp"

namespace vectordb {

using nlohmann::json;

void PayloadParts::add(const PayloadPath& path) {
  PayloadParts* at = this;
  for (const PayloadPath::Step& step : path.steps()) {
    if (step.index) return;
    std::unique_ptr<PayloadParts>& next = step.elements ? at->elements_ : at->members_[step.member];
    if (!next) next = std::make_unique<PayloadParts>();
    at = next.get();
  }
  at->whole_ = true;
}

json PayloadParts::only(const json& value) const {
  if (whole_ || !value.is_structured()) return value;
  json parts(value.type());
  if (value.is_object()) {
    for (const auto& [name, part] : members_)
      if (auto found = value.find(name); found != value.end()) parts[name] = part->only(*found);
  } else if (elements_) {
    for (const json& element : value) parts.push_back(elements_->only(element));
  }
  return parts;
}

json PayloadParts::without(const json& value) const {
  if (!value.is_structured() || (value.is_array() && !elements_)) return value;
  json rest(value.type());
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      auto part = members_.find(name);
      if (part == members_.end())
        rest[name] = member;
      else if (!part->second->whole_)
        rest[name] = part->second->without(member);
    }
  } else if (!elements_->whole_) {
    for (const json& element : value) rest.push_back(elements_->without(element));
  }
  return rest;
}

}  // namespace vectordb
