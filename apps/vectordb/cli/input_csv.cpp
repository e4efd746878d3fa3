// SPDX-License-Identifier: BSL-1.0
// CSV as RFC 4180 has it: fields in quotes may hold commas, quotes twice, and ends of lines.
#include "vectordb/cli/input.hpp"
#include "vectordb/client/documents.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace vectordb::cli {

using nlohmann::json;

namespace {

using Row = std::vector<std::string>;

class CsvReader final : public PointReader {
 public:
  CsvReader(std::istream& input, std::string name) : input_(input), name_(std::move(name)) {
    if (!read_row(columns_)) throw InputError(name_ + ":1", "the names of the columns are missing");
    find_columns();
  }

  std::optional<Point> next() override {
    Row row;
    do {
      row_line_ = line_;
      if (!read_row(row)) return std::nullopt;
    } while (row.size() == 1 && row[0].empty());
    if (row.size() != columns_.size())
      throw InputError(place(), std::to_string(row.size()) + " fields, there are " +
                                    std::to_string(columns_.size()) + " columns");
    return point_of(row);
  }
  std::string place() const override { return name_ + ":" + std::to_string(row_line_ + 1); }

 private:
  static bool is_component(const std::string& column) {
    return column.size() > 1 && column[0] == 'v' &&
           std::all_of(column.begin() + 1, column.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
  }

  void find_columns() {
    has_vector_ = std::ranges::find(columns_, "vector") != columns_.end();
    if (std::ranges::find(columns_, "id") == columns_.end())
      throw InputError(place(), "there is no column 'id'");
    if (!has_vector_ && std::ranges::none_of(columns_, is_component))
      throw InputError(place(), "there is no column 'vector', and none called 'v0', 'v1', ...");
  }

  bool read_row(Row& row) {
    row.clear();
    if (input_.peek() == std::istream::traits_type::eof()) return false;
    bool more = true;
    while (more) more = read_field(row.emplace_back());
    ++line_;
    return true;
  }

  /// Returns whether another one follows on the line.
  bool read_field(std::string& field) {
    bool quoted = input_.peek() == '"';
    if (quoted) read_quoted(field);
    for (int c = input_.get(); c != std::istream::traits_type::eof(); c = input_.get()) {
      if (c == ',') return true;
      if (c == '\n') return false;
      if (c == '\r' && input_.peek() == '\n') continue;
      if (quoted) throw InputError(place(), "a comma is expected behind '\"'");
      field += static_cast<char>(c);
    }
    return false;
  }

  void read_quoted(std::string& field) {
    input_.get();
    while (true) {
      int c = input_.get();
      if (c == std::istream::traits_type::eof())
        throw InputError(place(), "the file ends inside of '\"'");
      if (c == '"' && input_.peek() != '"') return;
      if (c == '"') input_.get();
      if (c == '\n') ++line_;
      field += static_cast<char>(c);
    }
  }

  Point point_of(const Row& row) const {
    std::string id;
    Vector vector;
    json payload = json::object();
    try {
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (columns_[i] == "id")
          id = row[i];
        else if (columns_[i] == "vector")
          vector = vector_from_json(json::parse(row[i]), "vector");
        else if (!has_vector_ && is_component(columns_[i]))
          vector.push_back(component(columns_[i], row[i]));
        else if (!row[i].empty())
          payload[columns_[i]] = value_of(row[i]);
      }
      if (id.empty()) throw InvalidArgument("id", "is empty");
      return document(id, std::move(vector), std::move(payload));
    } catch (const InvalidArgument& error) {
      throw InputError(place(), error.what());
    } catch (const json::exception& error) {
      throw InputError(place(), std::string("vector: no JSON: ") + error.what());
    }
  }

  static float component(const std::string& column, const std::string& text) {
    float value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      throw InvalidArgument(column, "'" + text + "' is no number");
    return value;
  }

  /// Numbers, true and false as such; everything else is text.
  static json value_of(const std::string& text) {
    json value = json::parse(text, nullptr, false);
    return value.is_number() || value.is_boolean() ? value : json(text);
  }

  std::istream& input_;
  std::string name_;
  Row columns_;
  bool has_vector_ = false;
  std::size_t line_ = 0;  // those that were read
  std::size_t row_line_ = 0;
};

}  // namespace

std::unique_ptr<PointReader> read_csv(std::istream& input, std::string name) {
  return std::make_unique<CsvReader>(input, std::move(name));
}

}  // namespace vectordb::cli
