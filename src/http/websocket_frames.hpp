// SPDX-License-Identifier: BSL-1.0
/// The frames of RFC 6455, 5: their heads and masks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// What a frame of a ping, a pong or a close may carry.
inline constexpr std::size_t kMaxControl = 125;

constexpr bool is_control(Opcode opcode) noexcept {
  return static_cast<std::uint8_t>(opcode) >= static_cast<std::uint8_t>(Opcode::close);
}

using Mask = std::array<std::uint8_t, 4>;

/// Masks or unmasks what stands at `position` of a frame's payload.
void apply_mask(char* bytes, std::size_t size, const Mask& mask, std::size_t position) noexcept;

/// Four bytes that nobody can foresee.
/// Throws: OSError if the system has none.
Mask random_mask();

struct FrameHead {
  bool fin = true;
  bool compressed = false;  // RSV1
  Opcode opcode = Opcode::text;
  std::uint64_t length = 0;  // of the payload
  Mask mask{};               // of zeros if there is none
};

/// Appends a frame.
void write_frame(std::string& output, Opcode opcode, bool compressed, bool masked,
                 std::string_view payload);

/// Reads the head of one frame after another, in pieces of any size.
class FrameHeadReader {
 public:
  /// Whether the peer's frames have masks, and may be compressed.
  FrameHeadReader(bool masked, bool may_compress) noexcept
      : masked_(masked), may_compress_(may_compress) {}

  enum class Outcome : std::uint8_t { need_more, complete, invalid };
  /// Takes what belongs to the head from the front of `input`. What no frame may begin with is
  /// invalid with its second byte, or with its length.
  Outcome read(std::string_view& input) noexcept;
  /// The last one that was complete.
  const FrameHead& head() const noexcept { return head_; }
  /// Why a head is invalid.
  std::string_view error() const noexcept { return error_; }

 private:
  bool begin() noexcept;
  bool take_length() noexcept;
  bool refuse(std::string_view error) noexcept;

  FrameHead head_;
  std::array<std::uint8_t, 14> bytes_{};
  std::uint8_t have_ = 0;
  std::uint8_t need_ = 2;
  bool begun_ = false;
  bool masked_;
  bool may_compress_;
  std::string_view error_;
};

}  // namespace asyncio::http::detail
