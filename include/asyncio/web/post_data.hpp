// SPDX-License-Identifier: BSL-1.0
/// What a client has filled in: the fields of a form and its files.
#pragma once

#include "asyncio/http/multi_dict.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asyncio::web {

/// A file of a form. Its name is as the client gave it: see BodyPart.
///
/// asyncio  aiohttp: FileField
class FileField {
 public:
  FileField(std::string field, std::string file, std::string type, std::string bytes)
      : name(std::move(field)),
        filename(std::move(file)),
        content_type(std::move(type)),
        content(std::move(bytes)) {}

  std::string name;
  std::string filename;
  std::string content_type;
  std::string content;
};

/// A form: its fields, and the files among them apart.
class PostData : public http::MultiDict {
 public:
  PostData() = default;
  explicit PostData(http::MultiDict fields) : http::MultiDict(std::move(fields)) {}

  const std::vector<FileField>& files() const noexcept { return files_; }
  /// The first file of a field; null if there is none.
  const FileField* file(std::string_view name) const noexcept;
  void add_file(FileField file) { files_.push_back(std::move(file)); }

 private:
  std::vector<FileField> files_;
};

}  // namespace asyncio::web
