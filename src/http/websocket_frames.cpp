// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_frames.hpp"

#include "asyncio/detail/core/loop.hpp"
#include "asyncio/exceptions.hpp"
#include "http/random.hpp"

#include <algorithm>
#include <cstring>

namespace asyncio::http::detail {

namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kOtherRsv = 0x30;
constexpr std::uint8_t kOpcode = 0x0F;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7F;
// What the short length says when two or eight bytes with the real one follow.
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

/// Tells the loop that runs in this thread from every other; 0 if none does.
std::uint64_t running_serial() noexcept {
  const asyncio::detail::Loop* loop = asyncio::detail::running_loop_or_null();
  return loop ? loop->serial() : 0;
}

/// The kernel is asked for many masks at once. A loop has none that another one got: those of a
/// simulated loop can be foretold, and are the same for the same seed.
class Masks {
 public:
  Mask take() {
    Mask mask;
    if (left_ < mask.size() || loop_ != running_serial()) refill();
    left_ -= mask.size();
    std::memcpy(mask.data(), bytes_.data() + left_, mask.size());
    return mask;
  }

 private:
  void refill() {
    left_ = 0;
    fill_random(bytes_);
    left_ = bytes_.size();
    loop_ = running_serial();
  }

  std::array<std::uint8_t, 256> bytes_;
  std::size_t left_ = 0;
  std::uint64_t loop_ = 0;
};

thread_local Masks masks;

bool is_known(std::uint8_t opcode) noexcept {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA);
}

std::uint64_t big_endian(const std::uint8_t* bytes, std::size_t size) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) number = number << 8 | bytes[i];
  return number;
}

void append_big_endian(std::string& output, std::uint64_t number, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    output += static_cast<char>(number >> shift & 0xFF);
}

void append_head(std::string& output, Opcode opcode, bool compressed, bool masked,
                 std::size_t length) {
  output += static_cast<char>(kFin | (compressed ? kRsv1 : 0) | static_cast<std::uint8_t>(opcode));
  const std::uint8_t mask_bit = masked ? kMasked : 0;
  if (length < kLength16) {
    output += static_cast<char>(mask_bit | length);
  } else if (length <= 0xFFFF) {
    output += static_cast<char>(mask_bit | kLength16);
    append_big_endian(output, length, 2);
  } else {
    output += static_cast<char>(mask_bit | kLength64);
    append_big_endian(output, length, 8);
  }
}

}  // namespace

Mask random_mask() { return masks.take(); }

void apply_mask(char* bytes, std::size_t size, const Mask& mask, std::size_t position) noexcept {
  Mask turned;
  for (std::size_t i = 0; i < mask.size(); ++i) turned[i] = mask[(position + i) % mask.size()];
  std::uint32_t four = 0;
  std::memcpy(&four, turned.data(), sizeof four);
  const std::uint64_t eight = static_cast<std::uint64_t>(four) << 32 | four;
  std::size_t at = 0;
  for (; size - at >= sizeof eight; at += sizeof eight) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + at, sizeof word);
    word ^= eight;
    std::memcpy(bytes + at, &word, sizeof word);
  }
  for (; at < size; ++at) bytes[at] = static_cast<char>(bytes[at] ^ turned[at % turned.size()]);
}

void write_frame(std::string& output, Opcode opcode, bool compressed, bool masked,
                 std::string_view payload) {
  append_head(output, opcode, compressed, masked, payload.size());
  if (!masked) {
    output += payload;
    return;
  }
  const Mask mask = random_mask();
  output.append(reinterpret_cast<const char*>(mask.data()), mask.size());
  const std::size_t begin = output.size();
  output += payload;
  apply_mask(output.data() + begin, payload.size(), mask, 0);
}

FrameHeadReader::Outcome FrameHeadReader::read(std::string_view& input) noexcept {
  if (!error_.empty()) return Outcome::invalid;
  for (;;) {
    const std::size_t count = std::min<std::size_t>(need_ - have_, input.size());
    std::copy_n(input.data(), count, bytes_.data() + have_);
    input.remove_prefix(count);
    have_ = static_cast<std::uint8_t>(have_ + count);
    if (have_ < need_) return Outcome::need_more;
    if (begun_) break;
    if (!begin()) return Outcome::invalid;
  }
  if (!take_length()) return Outcome::invalid;
  have_ = 0;
  need_ = 2;
  begun_ = false;
  return Outcome::complete;
}

bool FrameHeadReader::refuse(std::string_view error) noexcept {
  error_ = error;
  return false;
}

/// The first two bytes.
bool FrameHeadReader::begin() noexcept {
  begun_ = true;
  const std::uint8_t opcode = bytes_[0] & kOpcode;
  const std::uint8_t length = bytes_[1] & kLength;
  const bool masked = (bytes_[1] & kMasked) != 0;
  if (!is_known(opcode)) return refuse("a frame of a kind that there is not");
  head_.opcode = static_cast<Opcode>(opcode);
  head_.fin = (bytes_[0] & kFin) != 0;
  head_.compressed = (bytes_[0] & kRsv1) != 0;
  if ((bytes_[0] & kOtherRsv) != 0 || (head_.compressed && !may_compress_))
    return refuse("a frame with a reserved bit");
  if (head_.compressed && (is_control(head_.opcode) || head_.opcode == Opcode::continuation))
    return refuse("a frame that cannot begin a compressed message");
  if (masked != masked_) return refuse(masked ? "a frame with a mask" : "a frame without a mask");
  if (is_control(head_.opcode) && (!head_.fin || length > kMaxControl))
    return refuse("a control frame in parts, or of more than 125 bytes");
  if (length == kLength16) need_ = static_cast<std::uint8_t>(need_ + 2);
  if (length == kLength64) need_ = static_cast<std::uint8_t>(need_ + 8);
  if (masked) need_ = static_cast<std::uint8_t>(need_ + head_.mask.size());
  return true;
}

/// The rest of the head.
bool FrameHeadReader::take_length() noexcept {
  const std::uint8_t length = bytes_[1] & kLength;
  std::size_t size = 0;
  std::uint64_t least = 0;
  if (length == kLength16) size = 2, least = kLength16;
  if (length == kLength64) size = 8, least = 0x10000;
  head_.length = size == 0 ? length : big_endian(bytes_.data() + 2, size);
  if (head_.length < least) return refuse("a length in more bytes than it needs");
  if (head_.length >> 63 != 0) return refuse("a length of 2^63 or more");
  if (masked_) std::copy_n(bytes_.data() + 2 + size, head_.mask.size(), head_.mask.begin());
  return true;
}

}  // namespace asyncio::http::detail
