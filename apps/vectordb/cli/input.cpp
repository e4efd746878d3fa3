// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/input.hpp"

#include "vectordb/client/documents.hpp"
#include "vectordb/client/request_bytes.hpp"
#include <asyncio/exceptions.hpp>
#include <asyncio/http/nlohmann_json.hpp>

#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

namespace vectordb::cli {

using nlohmann::json;

namespace {

/// Who wrote "payloads" meant something by it.
void check_members(const json& point) {
  for (const auto& [name, value] : point.items())
    if (name != "id" && name != "vector" && name != "payload")
      throw InvalidArgument(brief(name), "no member of a point; those are id, vector and payload");
}

/// The members of the outermost object, in JSON that is known to be some.
std::vector<std::string> outer_names(std::string_view line) {
  std::vector<std::string> names;
  std::size_t depth = 0, begin = 0;
  std::string_view text;  // the last string, with its quotes
  for (std::size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ':' && depth == 1) names.push_back(json::parse(text).get<std::string>());
    if (c != '"') continue;
    for (begin = at++; line[at] != '"'; ++at)
      if (line[at] == '\\') ++at;
    text = line.substr(begin, at + 1 - begin);
  }
  return names;
}

/// Of two the parser takes the last, and who wrote the first meant it as well.
void check_repeated(std::string_view line) {
  std::set<std::string> seen;
  for (std::string& name : outer_names(line)) {
    const bool is_new = seen.insert(name).second;
    if (!is_new) throw InvalidArgument(brief(name), "there are two members of this name");
  }
}

class JsonlReader final : public PointReader {
 public:
  JsonlReader(std::istream& input, std::string name) : input_(input), name_(std::move(name)) {}

  std::optional<Point> next() override {
    std::string line;
    while (std::getline(input_, line)) {
      ++number_;
      if (line.find_first_not_of(" \t\r") != std::string::npos) return point_of(line);
    }
    return std::nullopt;
  }
  std::string place() const override { return name_ + ":" + std::to_string(number_); }

 private:
  Point point_of(const std::string& line) const {
    try {
      json value = asyncio::http::JsonCodec<json>::parse(line);
      if (value.is_object()) {
        check_members(value);
        check_repeated(line);
      }
      if (!value.is_object() || !value.contains("id")) return Point::from_json(value);
      json& id = value["id"];
      if (!id.is_string()) return Point::from_json(value);
      std::string called = id.get<std::string>();
      id = document_id(called).to_json();
      Point point = Point::from_json(value);
      return document(called, std::move(point.vector), std::move(point.payload));
    } catch (const InvalidArgument& error) {
      throw InputError(place(), error.what());
    } catch (const asyncio::ValueError& error) {
      throw InputError(place(), std::string("no JSON: ") + error.what());
    }
  }

  std::istream& input_;
  std::string name_;
  std::size_t number_ = 0;
};

}  // namespace

Batch PointReader::batch(std::size_t count) {
  Batch batch;
  RequestRoom room(kRequestBytes);
  while (batch.points.size() < count) {
    std::optional<Point> point = ahead_ ? std::exchange(ahead_, std::nullopt) : next();
    if (!point) break;
    if (!room.take(*point)) {
      ahead_ = std::move(point);
      break;
    }
    batch.points.push_back(std::move(*point));
    batch.places.push_back(place());  // also of the one that was read ahead
  }
  return batch;
}

std::unique_ptr<PointReader> read_jsonl(std::istream& input, std::string name) {
  return std::make_unique<JsonlReader>(input, std::move(name));
}

std::unique_ptr<PointReader> read_points(std::istream& input, const std::string& name,
                                         const std::string& format, std::uint64_t first_id,
                                         std::optional<std::uint64_t> bytes) {
  if (format == "jsonl" || format == "json" || format == "ndjson") return read_jsonl(input, name);
  if (format == "csv") return read_csv(input, name);
  if (format == "npy") return read_npy(input, name, first_id);
  if (format == "fvecs") return read_fvecs(input, name, first_id, bytes);
  throw InputError(name, "'" + format + "' is no format: jsonl, csv, npy, fvecs (--format)");
}

std::string format_of(const std::string& file) {
  std::string ending = std::filesystem::path(file).extension().string();
  return ending.empty() ? "jsonl" : ending.substr(1);
}

}  // namespace vectordb::cli
