// SPDX-License-Identifier: BSL-1.0
/// Forms with files, as browsers send them: aiohttp's FormData.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http {

/// The body of a multipart/form-data request: `RequestOptions().data(form)`. A value type.
///
/// asyncio  aiohttp: FormData
class FormData {
 public:
  /// Throws   OSError if the system has no random bytes for the boundary.
  FormData();

  /// Quotes and ends of lines in a name are percent-encoded, as browsers do.
  FormData& add_field(std::string_view name, std::string_view value);
  /// A file with these bytes.
  ///
  /// Throws   ValueError for a content type that cannot stand in a header.
  FormData& add_file(std::string_view name, std::string_view bytes, std::string_view filename,
                     std::string_view content_type = "application/octet-stream");

  std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }
  std::string body() const { return parts_ + "--" + boundary_ + "--\r\n"; }

 private:
  void begin_part(std::string_view name);

  std::string boundary_;
  std::string parts_;
};

}  // namespace asyncio::http
