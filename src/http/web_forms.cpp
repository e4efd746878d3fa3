// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/http/percent.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/request.hpp"
#include "http/characters.hpp"
#include "http/server_exchange.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asyncio::web {

namespace {

[[noreturn]] void refuse(const std::string& reason) {
  throw HTTPBadRequest("400: Bad Request: " + reason);
}

}  // namespace

const FileField* PostData::file(std::string_view name) const noexcept {
  auto found = std::ranges::find(files_, name, &FileField::name);
  return found == files_.end() ? nullptr : &*found;
}

Coro<PostData> Request::post() {
  if (http::detail::equal_without_case(content_type(), "multipart/form-data")) {
    if (!form_) {
      PostData form = co_await post_multipart();
      form_ = std::make_unique<PostData>(std::move(form));
    }
    co_return *form_;
  }
  if (!http::detail::equal_without_case(content_type(), "application/x-www-form-urlencoded"))
    throw HTTPUnsupportedMediaType();
  std::string body = co_await read();
  try {
    co_return PostData(http::parse_qsl(body));
  } catch (const ValueError& error) {
    refuse(error.what());
  }
}

Coro<PostData> Request::post_multipart() {
  PostData form;
  MultipartReader parts = multipart();
  std::size_t limit = exchange_.settings().client_max_size, size = 0;
  for (;;) {
    std::optional<BodyPart> part = co_await parts.next();
    if (!part) co_return form;
    if (part->name().empty()) refuse("a field of the form has no name");
    std::string content = co_await part->read();
    size += content.size();
    for (http::HeaderField field : part->headers()) size += field.name.size() + field.value.size();
    if (size > limit) throw HTTPRequestEntityTooLarge();
    std::string name(part->name());
    if (part->filename())
      form.add_file(FileField(std::move(name), *part->filename(), std::string(part->content_type()),
                              std::move(content)));
    else
      form.add(std::move(name), std::move(content));
  }
}

}  // namespace asyncio::web
