// SPDX-License-Identifier: BSL-1.0
#include "vectordb/engine/frames.hpp"

#include "vectordb/engine/errors.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <span>
#include <vector>
#include <zlib.h>

namespace vectordb {

static_assert(std::endian::native == std::endian::little, "files are written as memory is");

namespace {

std::uint32_t checksum(FrameHead head, std::string_view body) {
  head.crc = 0;
  uLong crc = ::crc32_z(0, reinterpret_cast<const Bytef*>(&head), sizeof(head));
  return static_cast<std::uint32_t>(
      ::crc32_z(crc, reinterpret_cast<const Bytef*>(body.data()), body.size()));
}

}  // namespace

std::string encode_frame(std::uint64_t sequence, std::string_view body) {
  if (body.size() > std::numeric_limits<std::uint32_t>::max())
    throw Error("a record of " + std::to_string(body.size()) + " bytes, more than 4294967295");
  FrameHead head;
  head.length = static_cast<std::uint32_t>(body.size());
  head.sequence = sequence;
  head.crc = checksum(head, body);
  std::string bytes(sizeof(head), '\0');
  std::memcpy(bytes.data(), &head, sizeof(head));
  bytes += body;
  return bytes;
}

std::optional<Frame> FrameReader::next() {
  std::optional<Frame> frame = frame_at(offset_);
  if (frame) offset_ += sizeof(FrameHead) + frame->body.size();
  return frame;
}

std::optional<Frame> FrameReader::frame_at(std::uint64_t offset) const {
  FrameHead head;
  if (size_ - offset < sizeof(head)) return std::nullopt;
  file_.read_at(offset, std::span(reinterpret_cast<char*>(&head), sizeof(head)));
  if (head.mark != FrameHead::kMark || head.length > size_ - offset - sizeof(head))
    return std::nullopt;
  Frame frame;
  frame.offset = offset;
  frame.sequence = head.sequence;
  frame.body.resize(head.length);
  file_.read_at(offset + sizeof(head), frame.body);
  if (checksum(head, frame.body) != head.crc) return std::nullopt;
  return frame;
}

bool FrameReader::any_behind() const {
  constexpr std::size_t kPiece = 1 << 20;
  std::vector<char> piece(kPiece);
  // Pieces overlap by less than a mark, so that none is seen twice or cut in two.
  for (std::uint64_t at = offset_ + 1; at < size_; at += kPiece - sizeof(FrameHead::kMark) + 1) {
    std::string_view bytes(piece.data(), file_.read_at(at, piece));
    const std::string_view mark(reinterpret_cast<const char*>(&FrameHead::kMark),
                                sizeof(FrameHead::kMark));
    for (auto found = bytes.find(mark); found != bytes.npos; found = bytes.find(mark, found + 1))
      if (frame_at(at + found)) return true;
  }
  return false;
}

}  // namespace vectordb
