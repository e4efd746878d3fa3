// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/static_files.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/web/exceptions.hpp"
#include "http/file_answer.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace asyncio::web {

namespace {

bool leads_up(std::string_view name) noexcept {
  while (true) {
    std::size_t end = name.find('/');
    if (name.substr(0, end) == "..") return true;
    if (end == std::string_view::npos) return false;
    name.remove_prefix(end + 1);
  }
}

/// Where an open file is, whatever its name was.
std::string place_of(const File& file) {
  std::string link = "/proc/self/fd/" + std::to_string(file.fileno());
  char place[4096];
  ssize_t size = ::readlink(link.c_str(), place, sizeof place);
  return size < 0 ? std::string() : std::string(place, static_cast<std::size_t>(size));
}

/// Absolute, without links; empty if there is no such thing.
std::string real_path(const std::string& name) {
  std::unique_ptr<char, void (*)(void*)> real(::realpath(name.c_str(), nullptr), std::free);
  return real ? real.get() : "";
}

bool is_folder_in(const std::string& folder, const std::string& name) {
  if (name.find('\0') != std::string::npos) return false;
  std::string place = real_path(folder + name);
  std::error_code failed;
  return place.starts_with(folder) && std::filesystem::is_directory(place, failed);
}

/// Where a folder is that was asked for by its name alone. "//host" would lead to another server.
std::string with_slash(const Request& request) {
  std::string_view path = request.raw_path();
  while (path.starts_with("//")) path.remove_prefix(1);
  std::string place = std::string(path) + "/";
  if (!request.query_string().empty()) place.append("?").append(request.query_string());
  return place;
}

}  // namespace

StaticFiles::StaticFiles(const std::string& folder) {
  folder_ = real_path(folder);
  if (folder_.empty()) throw OSError(errno, "static files '" + folder + "'");
  if (!folder_.ends_with('/')) folder_ += '/';
}

StaticFiles& StaticFiles::index(std::string name) {
  if (name.find('/') != std::string::npos)
    throw ValueError("static files: the index '" + name + "' is no name of a file");
  index_ = std::move(name);
  return *this;
}

Coro<Response> StaticFiles::operator()(Request& request) const {
  if (request.match_info().empty())
    throw RuntimeError("StaticFiles: its route names no part, as \"/static/{name...}\" does");
  std::string name((request.match_info().end() - 1)->second);
  // Nothing is opened that is elsewhere: a client would learn whether it is there.
  if (leads_up(name)) throw HTTPNotFound();
  if (!index_.empty() && (name.empty() || name.ends_with('/'))) name += index_;
  auto found = co_await capture(detail::open_servable(folder_ + name));
  if (found.holds<HTTPForbidden>()) throw HTTPNotFound();
  if (found.holds<HTTPNotFound>() && !index_.empty() && is_folder_in(folder_, name))
    throw HTTPMovedPermanently(with_slash(request));
  File file = std::move(found).value();
  if (!place_of(file).starts_with(folder_)) throw HTTPNotFound();
  Response response = co_await detail::answer_with_file(request, file, name, Response());
  co_return response;
}

}  // namespace asyncio::web
