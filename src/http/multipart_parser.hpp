// SPDX-License-Identifier: BSL-1.0
/// Bodies made of parts (RFC 2046, 5.1; RFC 7578), without input and output.
#pragma once

#include "asyncio/http/headers.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

struct MultipartLimits {
  std::size_t header_bytes = 8192;  // of one part
  std::size_t parts = 1000;
};

enum class MultipartEvent : std::uint8_t {
  need_more,  // give what is left again, with more behind it
  part,       // headers() are there
  data,       // some bytes of the part
  part_end,
  end,  // what follows means nothing
};

class MultipartParser {
 public:
  /// Throws: ValueError for a boundary that cannot be one.
  explicit MultipartParser(std::string_view boundary, MultipartLimits limits = {});

  struct Parsed {
    MultipartEvent event;
    std::size_t consumed;
    std::string_view data;  // a part of the input
  };

  /// Takes input up to the next event.
  /// Throws: ValueError that says what is wrong, also beyond the limits.
  Parsed parse(std::string_view input);

  /// Of the part that has begun.
  const Headers& headers() const noexcept { return headers_; }

 private:
  enum class State : std::uint8_t { preamble, after_delimiter, head, body, epilogue };

  /// Of what one state reads; nothing: the next state goes on behind `consumed` bytes.
  using Step = std::optional<MultipartEvent>;
  Step step(std::string_view input, std::size_t& consumed, std::string_view& data);
  Step begin(std::string_view input, std::size_t& consumed);
  Step leave_delimiter(std::string_view input, std::size_t& consumed);
  Step read_head(std::string_view input, std::size_t& consumed);
  Step read_body(std::string_view input, std::size_t& consumed, std::string_view& data);
  void check_line(std::size_t size) const;
  void add_field(std::string_view line);

  std::string delimiter_;  // with the line break in front
  MultipartLimits limits_;
  State state_ = State::preamble;
  std::size_t parts_ = 0;
  Headers headers_;
};

}  // namespace asyncio::http::detail
