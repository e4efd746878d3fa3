// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace fetch_all {

/// Up to `count` readable, regular files under `folder`, as paths relative to it.
std::vector<std::string> list_files(const std::filesystem::path& folder, std::size_t count);

/// The whole file. Throws std::system_error with the path.
std::string read_file(const std::filesystem::path& path);

/// A path as it is written in a request, and back. unescape throws ValueError for a bad escape.
std::string escape(const std::string& path);
std::string unescape(const std::string& path);

}  // namespace fetch_all
