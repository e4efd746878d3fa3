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

/// A form made of parts, as far as it was read.
class Request::Form {
 public:
  explicit Form(MultipartReader reader) : parts_(std::move(reader)) {}

  /// Reads on where a call that was cancelled has stopped.
  Coro<> read(std::size_t limit);

  PostData data;
  bool is_whole = false;
  std::exception_ptr error;  // why it cannot be read; its rest would be another form

 private:
  void add(std::string content);

  MultipartReader parts_;
  std::optional<BodyPart> part_;  // whose content is to be read
  std::size_t size_ = 0;
};

Coro<> Request::Form::read(std::size_t limit) {
  while (!is_whole) {
    if (!part_) {
      std::optional<BodyPart> next = co_await parts_.next();
      part_ = std::move(next);
      is_whole = !part_;
      continue;
    }
    if (part_->name().empty()) refuse("a field of the form has no name");
    std::string content = co_await part_->read();
    size_ += content.size();
    for (http::HeaderField field : part_->headers())
      size_ += field.name.size() + field.value.size();
    if (size_ > limit) throw HTTPRequestEntityTooLarge();
    add(std::move(content));
  }
}

void Request::Form::add(std::string content) {
  std::string name(part_->name());
  if (part_->filename())
    data.add_file(FileField(std::move(name), *part_->filename(), std::string(part_->content_type()),
                            std::move(content)));
  else
    data.add(std::move(name), std::move(content));
  part_.reset();
}

Coro<PostData> Request::post() {
  if (http::detail::equal_without_case(content_type(), "multipart/form-data"))
    co_return co_await post_multipart();
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
  if (!form_) form_ = std::make_shared<Form>(multipart());
  std::shared_ptr<Form> form = form_;
  if (form->error) std::rethrow_exception(form->error);
  try {
    co_await form->read(exchange_.settings().client_max_size);
  } catch (const CancelledError&) {
    throw;  // the next call goes on
  } catch (...) {
    form->error = std::current_exception();
    throw;
  }
  co_return form->data;
}

}  // namespace asyncio::web
