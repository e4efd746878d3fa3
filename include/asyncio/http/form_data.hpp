// SPDX-License-Identifier: BSL-1.0
/// Forms with files, as browsers send them: aiohttp's FormData.
#pragma once

#include "asyncio/generator.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::http {

namespace detail {
class BodySource;
}

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
  /// Throws   ValueError for a control byte in a name, but for line ends, or in the content type.
  FormData& add_file(std::string_view name, std::string_view bytes, std::string_view filename,
                     std::string_view content_type = kBytes);
  /// A file whose bytes come in pieces while the form is sent, which is in chunks then. They can be
  /// sent once: a redirect, a retry or a copy that would need them again fails.
  ///
  /// Throws   ValueError for a control byte in a name, but for line ends, or in the content type.
  FormData& add_file(std::string_view name, AsyncGenerator<std::string> pieces,
                     std::string_view filename, std::string_view content_type = kBytes);
  /// A file of the system, read while the form is sent: it may be larger than the memory. Its name
  /// is the path's last part, unless another is given. The request, and not this, throws if it
  /// cannot be read.
  ///
  /// Throws   ValueError for a control byte in a name, but for line ends, or in the content type.
  FormData& add_path(std::string_view name, std::string path, std::string_view filename = {},
                     std::string_view content_type = kBytes);

  std::string content_type() const { return "multipart/form-data; boundary=" + boundary_; }
  /// All of it.
  ///
  /// Throws   ValueError if some of it is not in memory.
  std::string body() const;
  /// Where it comes from if some of it is not in memory; else null.
  std::shared_ptr<detail::BodySource> get_source() const;

 private:
  static constexpr std::string_view kBytes = "application/octet-stream";

  void begin_part(std::string_view name);
  void begin_file(std::string_view name, std::string_view filename, std::string_view content_type);
  FormData& end_file(std::shared_ptr<detail::BodySource> content);
  std::string with_end() const { return parts_ + "--" + boundary_ + "--\r\n"; }

  std::string boundary_;
  /// The contents that are not in memory, each behind what comes before it.
  std::vector<std::pair<std::string, std::shared_ptr<detail::BodySource>>> streamed_;
  std::string parts_;  // what is in memory, behind the last of those
};

}  // namespace asyncio::http
