// SPDX-License-Identifier: BSL-1.0
#include "vectordb/cli/input.hpp"

#include "vectordb/client/documents.hpp"
#include "vectordb/client/request_bytes.hpp"
#include <asyncio/exceptions.hpp>
#include <asyncio/http/json.hpp>

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

/// The value of a line, and of two members with one name the second name: the parser keeps the
/// last of them, and who wrote the first meant it as well.
std::pair<json, std::optional<std::string>> parse(const std::string& line) {
  asyncio::http::check_json_depth(line);
  std::set<std::string> seen;
  std::optional<std::string> repeated;
  auto note = [&](int depth, json::parse_event_t event, const json& name) {
    if (event != json::parse_event_t::key || depth != 1) return true;
    const bool is_new = seen.insert(name.get<std::string>()).second;
    if (!is_new && !repeated) repeated = name.get<std::string>();
    return true;
  };
  try {
    json value = json::parse(line, note);
    return {std::move(value), std::move(repeated)};
  } catch (const json::exception& error) {
    throw asyncio::ValueError(error.what());
  }
}

json point_in(const std::string& line) {
  auto [value, repeated] = parse(line);
  if (value.is_object()) check_members(value);
  if (repeated) throw InvalidArgument(brief(*repeated), "there are two members of this name");
  return std::move(value);
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
      json value = point_in(line);
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
