// SPDX-License-Identifier: BSL-1.0
#include "asyncio/web/file_response.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/files.hpp"
#include "asyncio/web/exceptions.hpp"
#include "http/conditions.hpp"
#include "http/dates.hpp"
#include "http/file_answer.hpp"
#include "http/server_exchange.hpp"
#include "net/open_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>

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

}  // namespace

namespace detail {

Coro<File> open_servable(std::string path) {
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  auto file = co_await capture(asyncio::detail::open_with_flags(std::move(path), kFlags));
  if (!file) refuse(file.exception());
  ::fcntl(file.value().fileno(), F_SETFL, O_RDONLY);  // io_uring's reads would not wait
  co_return std::move(file).value();
}

Coro<Response> answer_with_file(Request& request, File file, std::string_view name, Response head) {
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

}  // namespace detail

Coro<Response> file_response(Request& request, std::string path, Response head) {
  File file = co_await detail::open_servable(path);
  Response response = co_await detail::answer_with_file(request, file, path, std::move(head));
  co_return response;
}

}  // namespace asyncio::web
