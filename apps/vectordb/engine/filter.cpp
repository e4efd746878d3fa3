// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/filter.hpp"

#include "vectordb/engine/config.hpp"
#include "vectordb/engine/errors.hpp"
#include "vectordb/engine/payload_path.hpp"
#include "vectordb/engine/stopping.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace vectordb {

using nlohmann::json;

namespace {

using Stop = std::stop_token;
using Test = std::function<bool(const PointId&, const json&, const Stop&)>;
using ValueTest = std::function<bool(const json&)>;

[[noreturn]] void refuse(const std::string& field, const std::string& expected, const json& value) {
  throw InvalidArgument(field, expected + ": " + brief(value));
}

const json& member(const json& object, const char* name, const std::string& field) {
  auto found = object.find(name);
  if (found == object.end()) throw InvalidArgument(field + '.' + name, "missing");
  return *found;
}

void require_only(const json& object, const std::set<std::string>& known,
                  const std::string& field) {
  if (!object.is_object()) refuse(field, "not an object", object);
  for (const auto& [name, value] : object.items())
    if (!known.contains(name)) throw InvalidArgument(field + '.' + name, "not supported");
}

PayloadPath path_of(const json& object, const std::string& field) {
  const json& key = member(object, "key", field);
  if (!key.is_string()) refuse(field + ".key", "not a string", key);
  return PayloadPath(key.get_ref<const std::string&>(), field + ".key");
}

const json& keyword(const json& value, const std::string& field) {
  if (!value.is_string() && !value.is_number_integer() && !value.is_boolean())
    refuse(field, "not a string, an integer or a boolean", value);
  return value;
}

const json& keywords(const json& value, const std::string& field) {
  if (!value.is_array()) refuse(field, "not an array", value);
  for (std::size_t i = 0; i < value.size(); ++i)
    keyword(value[i], field + '[' + std::to_string(i) + ']');
  return value;
}

/// As Qdrant: 2.0 is no integer, and so not 2.
bool is_same(const json& value, const json& keyword) {
  return !value.is_number_float() && value == keyword;
}

bool is_in(const json& value, const json& list) {
  return std::any_of(list.begin(), list.end(),
                     [&](const json& keyword) { return is_same(value, keyword); });
}

/// Each condition on a value also looks into an array there.
bool holds_at(const PayloadPath& path, const json& payload, const ValueTest& test,
              const Stop& stop) {
  auto holds = [&](const json& value) {
    check(stop);
    return test(value);
  };
  return path.any_of(payload, [&](const json& value) {
    if (!value.is_array()) return holds(value);
    return std::any_of(value.begin(), value.end(), holds);
  });
}

ValueTest match_of(const json& match, const std::string& field) {
  require_only(match, {"value", "any", "except", "text"}, field);
  if (match.size() != 1) refuse(field, "not exactly one of value, any, except and text", match);
  if (match.contains("value"))
    return [value = keyword(match["value"], field + ".value")](const json& v) {
      return is_same(v, value);
    };
  if (match.contains("any"))
    return
        [list = keywords(match["any"], field + ".any")](const json& v) { return is_in(v, list); };
  if (match.contains("except"))
    return [list = keywords(match["except"], field + ".except")](const json& v) {
      return !v.is_null() && !is_in(v, list);
    };
  if (!match["text"].is_string()) refuse(field + ".text", "not a string", match["text"]);
  return [text = match["text"].get<std::string>()](const json& value) {
    return value.is_string() && value.get_ref<const std::string&>().find(text) != std::string::npos;
  };
}

class Range {
 public:
  Range(const json& range, const std::string& field)
      : gt_(bound(range, "gt", field)),
        gte_(bound(range, "gte", field)),
        lt_(bound(range, "lt", field)),
        lte_(bound(range, "lte", field)) {
    require_only(range, {"gt", "gte", "lt", "lte"}, field);
  }
  /// json compares an integer with an integer as such, not through a double.
  bool contains(const json& number) const {
    return (gt_.is_null() || number > gt_) && (gte_.is_null() || number >= gte_) &&
           (lt_.is_null() || number < lt_) && (lte_.is_null() || number <= lte_);
  }

 private:
  static json bound(const json& range, const char* name, const std::string& field) {
    if (!range.is_object()) refuse(field, "not an object", range);
    json value = range.value(name, json());
    if (!value.is_null() && !value.is_number()) refuse(field + '.' + name, "not a number", value);
    return value;
  }

  json gt_, gte_, lt_, lte_;
};

std::size_t values_in(const json& value) noexcept {
  if (value.is_null()) return 0;
  return value.is_array() ? value.size() : 1;
}

struct MinShould {
  bool reached(const PointId& id, const json& payload, const Stop& stop) const {
    auto holds = [&](const Test& test) { return test(id, payload, stop); };
    return static_cast<std::size_t>(std::count_if(tests.begin(), tests.end(), holds)) >= least;
  }

  std::vector<Test> tests;
  std::size_t least = 0;
};

/// Parses a filter and what is in it; knows how deep it is, and how much there was.
class Parser {
 public:
  Test filter(const json& value, const std::string& field) {
    require_only(value, {"must", "should", "must_not", "min_should"}, field);
    if (++depth_ > Limits::kFilterDepth)
      throw InvalidArgument(field,
                            "nested more than " + std::to_string(Limits::kFilterDepth) + " deep");
    auto must = conditions(value, "must", field);
    auto should = conditions(value, "should", field);
    auto must_not = conditions(value, "must_not", field);
    auto enough = min_should(value, field);
    --depth_;
    // As Qdrant: no `should` at all is none that has to hold.
    return
        [must, should, must_not, enough](const PointId& id, const json& payload, const Stop& stop) {
          check(stop);
          auto holds = [&](const Test& test) { return test(id, payload, stop); };
          return std::all_of(must.begin(), must.end(), holds) &&
                 (should.empty() || std::any_of(should.begin(), should.end(), holds)) &&
                 std::none_of(must_not.begin(), must_not.end(), holds) &&
                 enough.reached(id, payload, stop);
        };
  }

 private:
  /// A condition, or an array of them.
  std::vector<Test> conditions(const json& object, const char* name, const std::string& parent) {
    std::vector<Test> all;
    auto found = object.find(name);
    if (found == object.end() || found->is_null()) return all;
    const std::string field = parent + '.' + name;
    if (!found->is_array()) {
      all.push_back(condition(*found, field));
      return all;
    }
    for (std::size_t i = 0; i < found->size(); ++i)
      all.push_back(condition((*found)[i], field + '[' + std::to_string(i) + ']'));
    return all;
  }

  MinShould min_should(const json& value, const std::string& parent) {
    auto found = value.find("min_should");
    if (found == value.end() || found->is_null()) return {};
    const std::string field = parent + ".min_should";
    require_only(*found, {"conditions", "min_count"}, field);
    const json& least = member(*found, "min_count", field);
    if (!least.is_number_unsigned()) refuse(field + ".min_count", "not an unsigned integer", least);
    return {conditions(*found, "conditions", field), least.get<std::size_t>()};
  }

  Test condition(const json& value, const std::string& field) {
    if (++count_ > Limits::kFilterConditions)
      throw InvalidArgument(
          field, "more than " + std::to_string(Limits::kFilterConditions) + " conditions");
    if (!value.is_object()) refuse(field, "not a condition", value);
    if (value.contains("has_id")) return has_id(value, field);
    if (value.contains("is_empty")) return is_empty(value, field);
    if (value.contains("is_null")) return is_null(value, field);
    if (value.contains("nested")) return nested(value, field);
    if (value.contains("key")) return on_field(value, field);
    return filter(value, field);
  }

  static Test has_id(const json& value, const std::string& parent) {
    const std::string field = parent + ".has_id";
    require_only(value, {"has_id"}, parent);
    const json& list = value["has_id"];
    if (!list.is_array()) refuse(field, "not an array", list);
    std::set<PointId> ids;
    for (std::size_t i = 0; i < list.size(); ++i)
      ids.insert(PointId::from_json(list[i], field + '[' + std::to_string(i) + ']'));
    return [ids](const PointId& id, const json&, const Stop&) { return ids.contains(id); };
  }

  static Test is_empty(const json& value, const std::string& field) {
    require_only(value, {"is_empty"}, field);
    require_only(value["is_empty"], {"key"}, field + ".is_empty");
    return [path = path_of(value["is_empty"], field + ".is_empty")](
               const PointId&, const json& payload, const Stop&) {
      return !path.any_of(payload, [](const json& found) { return values_in(found) != 0; });
    };
  }

  static Test is_null(const json& value, const std::string& field) {
    require_only(value, {"is_null"}, field);
    require_only(value["is_null"], {"key"}, field + ".is_null");
    return [path = path_of(value["is_null"], field + ".is_null")](
               const PointId&, const json& payload, const Stop&) {
      return path.any_of(payload, [](const json& found) { return found.is_null(); });
    };
  }

  /// As Qdrant: "a[]" are the elements of the array "a", which "a" alone means here as well.
  static PayloadPath array_of(const json& object, const std::string& field) {
    const json& key = member(object, "key", field);
    if (!key.is_string()) refuse(field + ".key", "not a string", key);
    std::string_view text = key.get_ref<const std::string&>();
    if (text.ends_with("[]")) text.remove_suffix(2);
    return PayloadPath(text, field + ".key");
  }

  /// The filter has to hold for one element of the array at `key`.
  Test nested(const json& value, const std::string& parent) {
    const std::string field = parent + ".nested";
    require_only(value, {"nested"}, parent);
    require_only(value["nested"], {"key", "filter"}, field);
    PayloadPath path = array_of(value["nested"], field);
    Test inner = filter(member(value["nested"], "filter", field), field + ".filter");
    return [path, inner](const PointId& id, const json& payload, const Stop& stop) {
      return path.any_of(payload, [&](const json& found) {
        auto holds = [&](const json& element) { return inner(id, element, stop); };
        return found.is_array() && std::any_of(found.begin(), found.end(), holds);
      });
    };
  }

  static Test on_field(const json& value, const std::string& field) {
    require_only(value, {"key", "match", "range", "values_count"}, field);
    PayloadPath path = path_of(value, field);
    auto has = [&value](const char* name) {
      return value.contains(name) && !value[name].is_null();
    };
    if (has("match") + has("range") + has("values_count") != 1)
      refuse(field, "not exactly one of match, range and values_count", value);
    if (has("values_count")) {
      Range range(value["values_count"], field + ".values_count");
      return [path, range](const PointId&, const json& payload, const Stop&) {
        bool is_missing = true;
        auto counts = [&](const json& found) {
          is_missing = false;
          return range.contains(values_in(found));
        };
        return path.any_of(payload, counts) || (is_missing && range.contains(0));
      };
    }
    ValueTest test;
    if (has("match")) {
      test = match_of(value["match"], field + ".match");
    } else {
      Range range(value["range"], field + ".range");
      test = [range](const json& v) { return v.is_number() && range.contains(v); };
    }
    return [path, test](const PointId&, const json& payload, const Stop& stop) {
      return holds_at(path, payload, test, stop);
    };
  }

  std::size_t depth_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

Filter Filter::from_json(const json& value, std::string_view field) {
  Filter filter;
  if (value.is_null() || (value.is_object() && value.empty())) return filter;
  filter.test_ = std::make_shared<const Test>(Parser().filter(value, std::string(field)));
  filter.source_ = std::make_shared<const json>(value);
  return filter;
}

const json& Filter::to_json() const {
  static const json none;
  return source_ ? *source_ : none;
}

}  // namespace vectordb
