// SPDX-License-Identifier: BSL-1.0
// CSV as RFC 4180 has it: fields in quotes may hold commas, quotes twice, and ends of lines.
#include "vectordb/cli/input.hpp"
#include "vectordb/client/documents.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>

namespace vectordb::cli {

using nlohmann::json;

namespace {

using Row = std::vector<std::string>;

class CsvReader final : public PointReader {
 public:
  CsvReader(std::istream& input, std::string name) : input_(input), name_(std::move(name)) {
    skip_byte_order_mark();
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
  /// The one of UTF-8, with which some programs begin a file.
  void skip_byte_order_mark() {
    for (char byte : std::string_view("\xEF\xBB\xBF")) {
      if (input_.peek() != std::istream::traits_type::to_int_type(byte)) return;
      input_.get();
    }
  }

  void find_columns() {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (!is_utf8(columns_[i]))
        throw InputError(place(), "the name of column " + std::to_string(i + 1) + " is no UTF-8");
      if (!seen.insert(columns_[i]).second)
        throw InputError(place(), "there are two columns '" + columns_[i] + "'");
    }
    auto has = [&](std::string_view name) {
      return std::ranges::find(columns_, name) != columns_.end();
    };
    if (!has("id")) throw InputError(place(), "there is no column 'id'");
    if (!has("vector")) components_ = find_components();
    if (!has("vector") && components_.empty())
      throw InputError(place(), "there is no column 'vector', and none called 'v0', 'v1', ...");
  }

  /// The place in the vector of each column that is called 'v' and a number.
  std::map<std::size_t, std::size_t> find_components() const {
    std::map<std::size_t, std::size_t> numbers;
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (auto number = component_number(columns_[i])) numbers.emplace(i, *number);
    std::vector<bool> seen(numbers.size());
    for (const auto& [column, number] : numbers) {
      if (number >= seen.size())
        throw InputError(place(), "there are " + std::to_string(seen.size()) +
                                      " columns of the vector, '" + columns_[column] +
                                      "' is not one of 'v0' to 'v" +
                                      std::to_string(seen.size() - 1) + "'");
      if (seen[number])  // 'v0' and 'v00'
        throw InputError(place(), "there are two columns 'v" + std::to_string(number) + "'");
      seen[number] = true;
    }
    return numbers;
  }

  static std::optional<std::size_t> component_number(const std::string& column) {
    std::size_t number = 0;
    const char* end = column.data() + column.size();
    if (column.size() < 2 || column[0] != 'v') return std::nullopt;
    auto [at, error] = std::from_chars(column.data() + 1, end, number);
    if (error != std::errc() || at != end) return std::nullopt;
    return number;
  }

  /// JSON has no other text.
  static bool is_utf8(const std::string& text) {
    if (std::ranges::all_of(text, [](char c) { return (c & 0x80) == 0; })) return true;
    try {
      json(text).dump();
      return true;
    } catch (const json::type_error&) {
      return false;
    }
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
    try {
      std::string id;
      Vector vector(components_.size());
      json payload = json::object();
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (!is_utf8(row[i])) throw InvalidArgument(columns_[i], "no UTF-8");
        auto found = components_.find(i);
        if (columns_[i] == "id")
          id = row[i];
        else if (columns_[i] == "vector")
          vector = vector_from_json(json::parse(row[i]), "vector");
        else if (found != components_.end())
          vector[found->second] = component(columns_[i], row[i]);
        else if (!row[i].empty())
          payload[columns_[i]] = value_of(row[i]);
      }
      return document(id, std::move(vector), std::move(payload));
    } catch (const InvalidArgument& error) {
      throw InputError(place(), error.what());
    } catch (const json::exception& error) {
      throw InputError(place(), std::string("vector: no JSON: ") + error.what());
    }
  }

  static float component(const std::string& column, const std::string& text) {
    double value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::invalid_argument || end != text.data() + text.size())
      throw InvalidArgument(column, "'" + text + "' is no number");
    if (error != std::errc() || !(std::fabs(value) <= std::numeric_limits<float>::max()))
      throw InvalidArgument(column, "'" + text + "' is not a number that a 32-bit float holds");
    return static_cast<float>(value);
  }

  /// Numbers, true and false as such; everything else is text, also a number that would be written
  /// in another way, as 1.10 or 1e5: it may be a version, or have more digits than a number holds.
  static json value_of(const std::string& text) {
    json value = json::parse(text, nullptr, false);
    const bool is_value = value.is_number() || value.is_boolean();
    return is_value && value.dump() == text ? value : json(text);
  }

  std::istream& input_;
  std::string name_;
  Row columns_;
  std::map<std::size_t, std::size_t> components_;  // of the vector: column and place
  std::size_t line_ = 0;                           // those that were read
  std::size_t row_line_ = 0;
};

}  // namespace

std::unique_ptr<PointReader> read_csv(std::istream& input, std::string name) {
  return std::make_unique<CsvReader>(input, std::move(name));
}

}  // namespace vectordb::cli
