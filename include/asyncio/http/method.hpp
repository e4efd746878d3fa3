// SPDX-License-Identifier: BSL-1.0
/// What a request asks for: Method.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace asyncio::http {

/// A method: one of the constants, or any other token. Methods have case.
///
/// asyncio  aiohttp: hdrs.METH_GET and so on
class Method {
 public:
  static constexpr std::size_t max_size = 23;  // the longest registered one has 17

  static const Method GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH;

  /// Throws   ValueError if it is no token, or longer than `max_size`.
  constexpr Method(std::string_view token);
  constexpr Method(const char* token) : Method(std::string_view(token)) {}

  constexpr std::string_view str() const noexcept { return {text_.data(), size_}; }
  constexpr bool operator==(const Method&) const noexcept = default;

  /// Whether it only reads. RFC 9110, 9.2.1.
  constexpr bool safe() const noexcept;
  /// Whether doing it twice is as good as once. RFC 9110, 9.2.2.
  constexpr bool idempotent() const noexcept;

 private:
  static constexpr bool is_token(std::string_view text) noexcept {
    for (char c : text) {
      const bool alphanumeric =
          (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!alphanumeric && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos)
        return false;
    }
    return !text.empty();
  }
  [[noreturn]] static void refuse(std::string_view text);

  std::array<char, max_size> text_{};
  std::uint8_t size_ = 0;
};

constexpr Method::Method(std::string_view token) {
  if (!is_token(token) || token.size() > max_size) refuse(token);
  for (std::size_t i = 0; i < token.size(); ++i) text_[i] = token[i];
  size_ = static_cast<std::uint8_t>(token.size());
}

inline constexpr Method Method::GET{"GET"};
inline constexpr Method Method::HEAD{"HEAD"};
inline constexpr Method Method::POST{"POST"};
inline constexpr Method Method::PUT{"PUT"};
inline constexpr Method Method::DELETE{"DELETE"};
inline constexpr Method Method::CONNECT{"CONNECT"};
inline constexpr Method Method::OPTIONS{"OPTIONS"};
inline constexpr Method Method::TRACE{"TRACE"};
inline constexpr Method Method::PATCH{"PATCH"};

constexpr bool Method::safe() const noexcept {
  return *this == GET || *this == HEAD || *this == OPTIONS || *this == TRACE;
}

constexpr bool Method::idempotent() const noexcept {
  return safe() || *this == PUT || *this == DELETE;
}

}  // namespace asyncio::http
