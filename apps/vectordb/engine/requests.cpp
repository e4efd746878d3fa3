// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/requests.hpp"

#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/payload_parts.hpp"
#include "vectordb/engine/validation.hpp"

namespace vectordb {

using nlohmann::json;

namespace {

std::vector<std::string> keys_of(const json& value, const std::string& field) {
  if (!value.is_array()) throw InvalidArgument(field, "not an array: " + brief(value));
  std::vector<std::string> keys;
  for (const json& key : value) {
    const std::string name = field + '[' + std::to_string(keys.size()) + ']';
    if (!key.is_string()) throw InvalidArgument(name, "not a string: " + brief(key));
    keys.push_back(key.get<std::string>());
    PayloadPath(keys.back(), name);
  }
  return keys;
}

}  // namespace

PayloadSelector PayloadSelector::from_json(const json& value, std::string_view field) {
  const std::string name(field);
  PayloadSelector selector(value.is_boolean() && value.get<bool>());
  if (value.is_null() || value.is_boolean()) return selector;
  if (value.is_array()) {
    selector.include_ = keys_of(value, name);
  } else if (value.is_object() && value.size() == 1 && value.contains("include")) {
    selector.include_ = keys_of(value["include"], name + ".include");
  } else if (value.is_object() && value.size() == 1 && value.contains("exclude")) {
    selector.exclude_ = keys_of(value["exclude"], name + ".exclude");
    selector.all_ = true;
  } else {
    throw InvalidArgument(
        name, R"(not a boolean, an array of keys, {"include"} or {"exclude"}: )" + brief(value));
  }
  auto parts = std::make_shared<PayloadParts>();
  for (const auto* keys : {&selector.include_, &selector.exclude_})
    for (const std::string& key : *keys) parts->add(PayloadPath(key));
  selector.parts_ = std::move(parts);
  return selector;
}

json PayloadSelector::to_json() const {
  json selector;
  if (!include_.empty())
    selector["include"] = include_;
  else if (!exclude_.empty())
    selector["exclude"] = exclude_;
  else
    selector = all_;
  return selector;
}

std::optional<json> PayloadRoom::take(const PayloadSelector& selector, const json& payload) {
  if (!selector.any()) return std::nullopt;
  json chosen = selector.select(payload);
  if ((taken_ += payload_bytes(chosen)) > Limits::kResultPayloads)
    throw InvalidArgument("with_payload", "the payloads of the results have more than " +
                                              std::to_string(Limits::kResultPayloads) + " bytes");
  return chosen;
}

json PayloadSelector::select(const json& payload) const {
  if (all_) return parts_ ? parts_->without(payload) : payload;
  return parts_ ? parts_->only(payload) : json::object();
}

}  // namespace vectordb
