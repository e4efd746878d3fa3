// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/form_data.hpp"

#include "asyncio/exceptions.hpp"
#include "http/body_source.hpp"
#include "http/characters.hpp"
#include "http/parameters.hpp"
#include "http/random.hpp"

#include <utility>

namespace asyncio::http {

namespace {

/// Line ends and quotation marks are sent as browsers do; other control bytes no server takes.
std::string in_quotes(std::string_view what, std::string_view text) {
  for (char byte : text) {
    const bool is_line_end = byte == '\r' || byte == '\n';
    if (!is_line_end && !detail::is(detail::kField, byte))
      throw ValueError(std::string(what) + " " + detail::quoted(text) + ": a control byte");
  }
  return detail::quoted_parameter(text);
}

}  // namespace

// So many random bits that no content holds it.
FormData::FormData() : boundary_(detail::random_name()) {}

void FormData::begin_part(std::string_view name) {
  const std::string quoted_name = in_quotes("name", name);
  parts_ += "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + quoted_name;
}

void FormData::begin_file(std::string_view name, std::string_view filename,
                          std::string_view content_type) {
  if (detail::first_other(detail::kField, content_type) != std::string_view::npos)
    throw ValueError("content type " + detail::quoted(content_type) + ": a control byte");
  const std::string quoted_filename = in_quotes("filename", filename);
  begin_part(name);
  parts_ += "; filename=" + quoted_filename;
  parts_.append("\r\nContent-Type: ").append(content_type).append("\r\n\r\n");
}

FormData& FormData::end_file(std::shared_ptr<detail::BodySource> content) {
  streamed_.emplace_back(parts_, std::move(content));
  parts_ = "\r\n";
  return *this;
}

FormData& FormData::add_field(std::string_view name, std::string_view value) {
  begin_part(name);
  parts_.append("\r\n\r\n").append(value).append("\r\n");
  return *this;
}

FormData& FormData::add_file(std::string_view name, std::string_view bytes,
                             std::string_view filename, std::string_view content_type) {
  begin_file(name, filename, content_type);
  parts_.append(bytes).append("\r\n");
  return *this;
}

FormData& FormData::add_file(std::string_view name, AsyncGenerator<std::string> pieces,
                             std::string_view filename, std::string_view content_type) {
  begin_file(name, filename, content_type);
  return end_file(detail::source_of(std::move(pieces)));
}

FormData& FormData::add_path(std::string_view name, std::string path, std::string_view filename,
                             std::string_view content_type) {
  const std::string last = path.substr(path.rfind('/') + 1);  // all of it where there is no '/'
  begin_file(name, filename.empty() ? last : filename, content_type);
  return end_file(detail::source_of_file(std::move(path)));
}

std::string FormData::body() const {
  if (!streamed_.empty()) throw ValueError("some of this form is not in memory");
  return with_end();
}

std::shared_ptr<detail::BodySource> FormData::get_source() const {
  if (streamed_.empty()) return nullptr;
  auto parts = streamed_;
  for (auto& [before, content] : parts) content = detail::own_source(content);
  return detail::source_of_parts(std::move(parts), with_end());
}

}  // namespace asyncio::http
