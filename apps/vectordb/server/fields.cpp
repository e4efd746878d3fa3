// SPDX-License-Identifier: BSL-1.0
#include "vectordb/server/fields.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace vectordb {

using nlohmann::json;

void refuse_type(std::string path, std::string_view expected, const json& value) {
  throw InvalidArgument(std::move(path),
                        std::string(expected) + " is expected, not " + value.type_name());
}

Fields::Fields(const json& value, std::string path) : value_(value), path_(std::move(path)) {
  if (!value.is_object()) refuse_type(path_.empty() ? "body" : path_, "an object", value);
}

std::string Fields::path(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

std::string Fields::path(std::string_view name, std::size_t index) const {
  return path(name) + "[" + std::to_string(index) + "]";
}

const json* Fields::find(std::string_view name) const {
  auto found = value_.find(name);
  return found == value_.end() || found->is_null() ? nullptr : &*found;
}

const json& Fields::at(std::string_view name) const {
  const json* found = find(name);
  if (!found) throw InvalidArgument(path(name), "is missing");
  return *found;
}

const json& Fields::array(std::string_view name) const {
  const json& value = at(name);
  if (!value.is_array()) refuse_type(path(name), "an array", value);
  return value;
}

bool Fields::flag(std::string_view name, bool otherwise) const {
  const json* value = find(name);
  if (!value) return otherwise;
  if (!value->is_boolean()) refuse_type(path(name), "true or false", *value);
  return value->get<bool>();
}

namespace {

/// Whole numbers that 64 bits do not hold have become this.
[[noreturn]] void refuse_count(std::string path, double value) {
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  const std::string text = json(value).dump();
  if (value >= static_cast<double>(most))
    throw InvalidArgument(std::move(path), text + " is more than " + std::to_string(most));
  throw InvalidArgument(std::move(path), "a whole number from 0 is expected, not " + text);
}

}  // namespace

std::optional<std::size_t> Fields::count(std::string_view name) const {
  const json* value = find(name);
  if (!value) return std::nullopt;
  if (value->is_number_float()) refuse_count(path(name), value->get<double>());
  if (!value->is_number_integer()) refuse_type(path(name), "a whole number", *value);
  if (!value->is_number_unsigned())
    throw InvalidArgument(path(name), "a whole number from 0 is expected, not " + value->dump());
  return value->get<std::size_t>();
}

std::optional<float> Fields::number(std::string_view name) const {
  const json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_number()) refuse_type(path(name), "a number", *value);
  auto number = value->get<float>();
  if (!std::isfinite(number)) throw InvalidArgument(path(name), "is beyond what a float holds");
  return number;
}

std::optional<std::string> Fields::text(std::string_view name) const {
  const json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) refuse_type(path(name), "a string", *value);
  return value->get<std::string>();
}

void Fields::refuse(std::string_view name, std::string_view why) const {
  if (find(name)) throw InvalidArgument(path(name), std::string(why));
}

}  // namespace vectordb
