// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/file_response.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/files.hpp"
#include "asyncio/web/exceptions.hpp"
#include "http/conditions.hpp"
#include "http/dates.hpp"
#include "http/server_exchange.hpp"
#include "net/open_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <unistd.h>

namespace asyncio::web {

namespace {

using http::detail::ByteRange;
using http::detail::Condition;
using http::detail::RangeOutcome;
using http::detail::Representation;

std::string etag_of(const FileStatus& status) {
  char text[64];
  std::snprintf(text, sizeof text, "\"%llx-%llx\"",
                static_cast<unsigned long long>(status.modified().time_since_epoch().count()),
                static_cast<unsigned long long>(status.size()));
  return text;
}

/// What a client is told of a file that cannot be opened.
[[noreturn]] void refuse(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const PermissionError&) {
    throw HTTPForbidden();
  } catch (const OSError& failure) {
    int number = failure.error_number();
    if (number == ENOENT || number == ENOTDIR || number == EISDIR || number == ENAMETOOLONG ||
        number == ELOOP || number == ENXIO)
      throw HTTPNotFound();
    throw;
  } catch (const ValueError&) {  // a zero byte
    throw HTTPNotFound();
  }
}

/// A file that can be read at once: a FIFO would wait for its writer, and keep a thread.
Coro<File> opened(std::string path) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  auto file = co_await capture(asyncio::detail::open_with_flags(std::move(path), kFlags));
  if (!file) refuse(file.exception());
  ::fcntl(file.value().fileno(), F_SETFL, O_RDONLY);  // io_uring's reads would not wait
  co_return std::move(file).value();
}

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

Coro<Response> answer_with(Request& request, File file, std::string_view name, Response head) {
  FileStatus status = co_await file.stat();
  if (!status.is_regular()) throw HTTPNotFound();
  Representation now{etag_of(status), status.modified(), status.size()};
  head.headers().set("ETag", now.etag);
  head.headers().set("Last-Modified", http::detail::http_date(now.modified));
  head.headers().set("Accept-Ranges", "bytes");
  Condition condition = http::detail::check_conditions(request.headers(), now);
  if (condition == Condition::NotModified) co_return head.status(http::Status::NOT_MODIFIED);
  if (condition == Condition::Failed) throw HTTPPreconditionFailed();
  ByteRange range{0, now.size};
  RangeOutcome outcome = RangeOutcome::Whole;
  if (request.method() == http::Method::GET)  // the only one with ranges: RFC 9110, 14.2
    outcome = http::detail::find_range(request.headers(), now, range);
  std::string size = std::to_string(now.size);
  if (outcome == RangeOutcome::NotSatisfiable) {
    Response refused(http::Status::RANGE_NOT_SATISFIABLE);
    refused.header("Content-Range", "bytes */" + size);
    co_return refused;
  }
  if (outcome == RangeOutcome::Part) {
    head.status(http::Status::PARTIAL_CONTENT);
    head.headers().set("Content-Range", "bytes " + std::to_string(range.begin) + "-" +
                                            std::to_string(range.begin + range.size - 1) + "/" +
                                            size);
  }
  if (head.get_content_type().empty()) head.content_type(content_type_of(name));
  co_await request.exchange().send_file(head, file, range.begin, range.size);
  co_return Response::sent();
}

}  // namespace

Coro<Response> file_response(Request& request, std::string path, Response head) {
  File file = co_await opened(path);
  Response response = co_await answer_with(request, file, path, std::move(head));
  co_return response;
}

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
  auto found = co_await capture(opened(folder_ + name));
  if (found.holds<HTTPForbidden>()) throw HTTPNotFound();
  if (found.holds<HTTPNotFound>() && !index_.empty() && is_folder_in(folder_, name))
    throw HTTPMovedPermanently(with_slash(request));
  File file = std::move(found).value();
  if (!place_of(file).starts_with(folder_)) throw HTTPNotFound();
  Response response = co_await answer_with(request, file, name, Response());
  co_return response;
}

}  // namespace asyncio::web
