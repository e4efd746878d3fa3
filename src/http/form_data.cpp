// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/form_data.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/parameters.hpp"

#include <array>
#include <cerrno>
#include <sys/random.h>

namespace asyncio::http {

namespace {

/// So many random bits that no content holds it.
std::string random_boundary() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, 16> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw OSError(errno, "getrandom");
  std::string boundary;
  for (unsigned char byte : bytes) {
    boundary += kDigits[byte >> 4];
    boundary += kDigits[byte & 15];
  }
  return boundary;
}

}  // namespace

FormData::FormData() : boundary_(random_boundary()) {}

void FormData::begin_part(std::string_view name) {
  parts_ += "--" + boundary_ +
            "\r\nContent-Disposition: form-data; name=" + detail::quoted_parameter(name);
}

FormData& FormData::add_field(std::string_view name, std::string_view value) {
  begin_part(name);
  parts_.append("\r\n\r\n").append(value).append("\r\n");
  return *this;
}

FormData& FormData::add_file(std::string_view name, std::string_view bytes,
                             std::string_view filename, std::string_view content_type) {
  if (detail::first_other(detail::kField, content_type) != std::string_view::npos)
    throw ValueError("content type " + detail::quoted(content_type) + ": a control byte");
  begin_part(name);
  parts_ += "; filename=" + detail::quoted_parameter(filename);
  parts_.append("\r\nContent-Type: ").append(content_type);
  parts_.append("\r\n\r\n").append(bytes).append("\r\n");
  return *this;
}

}  // namespace asyncio::http
