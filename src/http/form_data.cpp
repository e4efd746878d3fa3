// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/form_data.hpp"

#include "asyncio/exceptions.hpp"
#include "http/characters.hpp"
#include "http/parameters.hpp"
#include "http/random.hpp"

namespace asyncio::http {

// So many random bits that no content holds it.
FormData::FormData() : boundary_(detail::random_name()) {}

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
