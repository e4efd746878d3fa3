// SPDX-License-Identifier: BSL-1.0
// Matrices in the byte order of the machine, which has to be the small end first.
#include "vectordb/cli/input.hpp"
#include "vectordb/engine/config.hpp"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <regex>
#include <utility>

namespace vectordb::cli {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr std::size_t kLongestHeader = 4096;  // numpy writes 128; std::regex recurses over it

/// Reads all `size` bytes, or none at the end of the file.
bool read_bytes(std::istream& input, void* bytes, std::size_t size, const std::string& place) {
  input.read(static_cast<char*>(bytes), static_cast<std::streamsize>(size));
  auto count = static_cast<std::size_t>(input.gcount());
  if (count == size) return true;
  if (count == 0) return false;
  throw InputError(place, "the file ends after " + std::to_string(count) + " of " +
                              std::to_string(size) + " bytes");
}

/// Throws: InputError that names the column of what no point has.
template <class T>
Vector vector_of(const std::vector<T>& row, const std::string& place) {
  Vector vector;
  vector.reserve(row.size());
  for (T value : row) {
    if (!(std::fabs(value) <= std::numeric_limits<float>::max())) {  // NaN is not, either
      char text[32];
      std::snprintf(text, sizeof text, "%g", static_cast<double>(value));
      throw InputError(place, "column " + std::to_string(vector.size()) + ": " + text +
                                  " is not a number that a 32-bit float holds");
    }
    vector.push_back(static_cast<float>(value));
  }
  return vector;
}

/// The ids of rows. None follows 2^64 - 1: they would begin again with 0, which is another point.
class RowIds {
 public:
  explicit RowIds(std::uint64_t first) : first_(first), next_(first) {}

  /// Throws: InputError if there are fewer than `rows`.
  void expect(std::uint64_t rows, const std::string& place) const {
    if (rows != 0 && rows - 1 > kLast - first_) refuse(place, std::to_string(rows) + " rows");
  }
  std::uint64_t next(const std::string& place) {
    if (!next_) refuse(place, "this row");
    std::uint64_t id = *next_;
    next_ = id == kLast ? std::nullopt : std::optional(id + 1);
    return id;
  }

 private:
  static constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

  [[noreturn]] void refuse(const std::string& place, const std::string& what) const {
    throw InputError(place, "there are no ids for " + what + ": --first-id is " +
                                std::to_string(first_) + ", the last id " + std::to_string(kLast));
  }

  std::uint64_t first_;
  std::optional<std::uint64_t> next_;
};

class FvecsReader final : public PointReader {
 public:
  FvecsReader(std::istream& input, std::string name, std::uint64_t first_id,
              std::optional<std::uint64_t> bytes)
      : input_(input), name_(std::move(name)), ids_(first_id), bytes_(bytes) {}

  std::optional<Point> next() override {
    ++row_;
    std::int32_t size = 0;
    if (!read_bytes(input_, &size, sizeof size, place())) return std::nullopt;
    if (size <= 0 || static_cast<std::size_t>(size) > Limits::kDimensions)
      throw InputError(place(), std::to_string(size) + " dimensions; from 1 to " +
                                    std::to_string(Limits::kDimensions) + " are possible");
    std::vector<float> row(static_cast<std::size_t>(size));
    if (bytes_ && row_ == 1)  // the rows of one collection are of one size
      ids_.expect(*bytes_ / (sizeof size + row.size() * sizeof(float)), name_);
    if (!read_bytes(input_, row.data(), row.size() * sizeof(float), place()))
      throw InputError(place(), "the file ends before its vector");
    Vector vector = vector_of(row, place());
    return Point(ids_.next(place()), std::move(vector));
  }
  std::string place() const override { return name_ + ": row " + std::to_string(row_ - 1); }

 private:
  std::istream& input_;
  std::string name_;
  RowIds ids_;
  std::optional<std::uint64_t> bytes_;
  std::size_t row_ = 0;
};

/// numpy.lib.format, versions 1 to 3.
class NpyReader final : public PointReader {
 public:
  NpyReader(std::istream& input, std::string name, std::uint64_t first_id)
      : input_(input), name_(std::move(name)), ids_(first_id) {
    read_header();
    ids_.expect(rows_, name_);
  }

  std::optional<Point> next() override {
    if (row_ == rows_) return std::nullopt;
    ++row_;
    Vector vector = is_double_ ? read_row<double>() : read_row<float>();
    return Point(ids_.next(place()), std::move(vector));
  }
  std::string place() const override { return name_ + ": row " + std::to_string(row_ - 1); }

 private:
  void read_header() {
    unsigned char start[8];
    if (!read_bytes(input_, start, sizeof start, name_) || std::memcmp(start, "\x93NUMPY", 6) != 0)
      throw InputError(name_, "it does not begin as a .npy file");
    std::uint16_t short_size = 0;
    std::uint32_t size = 0;
    if (start[6] == 1) {
      read_bytes(input_, &short_size, sizeof short_size, name_);
      size = short_size;
    } else {
      read_bytes(input_, &size, sizeof size, name_);
    }
    if (size > kLongestHeader) throw InputError(name_, "its header is too long");
    std::string header(size, '\0');
    if (!read_bytes(input_, header.data(), size, name_))
      throw InputError(name_, "the file ends before its header");
    read_description(header);
  }

  /// {'descr': '<f4', 'fortran_order': False, 'shape': (1000, 128), }
  void read_description(const std::string& header) {
    static const std::regex type("'descr':\\s*'([^']*)'"), order("'fortran_order':\\s*False"),
        shape("'shape':\\s*\\((\\d{1,18}),\\s*(\\d{1,9})\\)");
    std::smatch found;
    std::string kind = std::regex_search(header, found, type) ? found[1].str() : "?";
    if (kind != "<f4" && kind != "<f8")
      throw InputError(name_, "elements of type '" + kind + "'; '<f4' and '<f8' are read");
    is_double_ = kind == "<f8";
    if (!std::regex_search(header, order)) throw InputError(name_, "it is in Fortran's order");
    if (!std::regex_search(header, found, shape))
      throw InputError(name_, "it is no matrix: a row for each vector is expected");
    rows_ = std::stoull(found[1].str());
    columns_ = std::stoull(found[2].str());
    if (columns_ == 0 || columns_ > Limits::kDimensions)
      throw InputError(name_, std::to_string(columns_) + " columns; from 1 to " +
                                  std::to_string(Limits::kDimensions) + " are possible");
  }

  template <class T>
  Vector read_row() {
    std::vector<T> row(columns_);
    if (!read_bytes(input_, row.data(), columns_ * sizeof(T), place()))
      throw InputError(place(), "the file ends before it");
    return vector_of(row, place());
  }

  std::istream& input_;
  std::string name_;
  RowIds ids_;
  std::uint64_t rows_ = 0;
  std::uint64_t row_ = 0;
  std::size_t columns_ = 0;
  bool is_double_ = false;
};

}  // namespace

std::unique_ptr<PointReader> read_fvecs(std::istream& input, std::string name,
                                        std::uint64_t first_id,
                                        std::optional<std::uint64_t> bytes) {
  return std::make_unique<FvecsReader>(input, std::move(name), first_id, bytes);
}

std::unique_ptr<PointReader> read_npy(std::istream& input, std::string name,
                                      std::uint64_t first_id) {
  return std::make_unique<NpyReader>(input, std::move(name), first_id);
}

}  // namespace vectordb::cli
