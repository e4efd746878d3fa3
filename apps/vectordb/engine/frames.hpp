// SPDX-License-Identifier: BSL-1.0
/// What logs and snapshots are made of: pieces with a length, a number and a checksum.
#pragma once

#include "vectordb/engine/files.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vectordb {

/// On disk: mark, length of the body, sequence number, CRC-32 of these and the body; then the body.
/// Numbers are little-endian.
struct FrameHead {
  static constexpr std::uint32_t kMark = 0x66626476;  // "vdbf"

  std::uint32_t mark = kMark;
  std::uint32_t length = 0;
  std::uint64_t sequence = 0;
  std::uint32_t crc = 0;
  std::uint32_t unused = 0;
};
static_assert(sizeof(FrameHead) == 24);

/// A frame around `body`, for appending to a file. Throws: Error from 4 GiB on.
std::string encode_frame(std::uint64_t sequence, std::string_view body);

struct Frame {
  std::uint64_t offset = 0;
  std::uint64_t sequence = 0;
  std::string body;
};

/// Reads the frames of a file, one after another.
class FrameReader {
 public:
  explicit FrameReader(const File& file, std::uint64_t offset = 0)
      : file_(file), offset_(offset), size_(file.size()) {}

  /// The next frame, and none at the end of the file or where something else than a whole frame is.
  std::optional<Frame> next();
  /// Where the next frame begins; at_end() tells why there was none.
  std::uint64_t offset() const noexcept { return offset_; }
  bool at_end() const noexcept { return offset_ == size_; }
  std::uint64_t size() const noexcept { return size_; }
  /// Whether a whole frame begins anywhere behind offset(): then what is there was damaged, and is
  /// no write that was cut short.
  bool any_behind() const;

 private:
  std::optional<Frame> frame_at(std::uint64_t offset) const;

  const File& file_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace vectordb
