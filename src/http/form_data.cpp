// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/form_data.hpp"

#include "asyncio/exceptions.hpp"
#include "http/body_source.hpp"
#include "http/characters.hpp"
#include "http/parameters.hpp"
#include "http/random.hpp"

#include <utility>

namespace asyncio::http {

// So many random bits that no content holds it.
FormData::FormData() : boundary_(detail::random_name()) {}

void FormData::begin_part(std::string_view name) {
  parts_ += "--" + boundary_ +
            "\r\nContent-Disposition: form-data; name=" + detail::quoted_parameter(name);
}

void FormData::begin_file(std::string_view name, std::string_view filename,
                          std::string_view content_type) {
  if (detail::first_other(detail::kField, content_type) != std::string_view::npos)
    throw ValueError("content type " + detail::quoted(content_type) + ": a control byte");
  begin_part(name);
  parts_ += "; filename=" + detail::quoted_parameter(filename);
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
