// SPDX-License-Identifier: BSL-1.0
/// What a handler is asked: aiohttp's web.Request.
#pragma once

#include "asyncio/address.hpp"
#include "asyncio/coro.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/json.hpp"
#include "asyncio/http/multi_dict.hpp"
#include "asyncio/web/multipart.hpp"
#include "asyncio/web/post_data.hpp"
#include "asyncio/web/storage.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asyncio::http::detail {
class ServerExchange;
}  // namespace asyncio::http::detail

namespace asyncio::web {

class Application;

/// A request that is being answered. It lives as long as its handler runs, and so do its views.
///
/// Thread   the loop's.
class Request {
 public:
  Request(http::RequestHead& head, http::detail::ServerExchange& exchange) noexcept;
  ~Request();
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  const http::Method& method() const noexcept { return head_.method; }
  const http::Version& version() const noexcept { return head_.version; }
  const http::Headers& headers() const noexcept { return head_.headers; }
  /// As it stands in the request.
  std::string_view target() const noexcept { return head_.target; }
  std::string_view raw_path() const noexcept { return raw_path_; }
  /// Decoded.
  std::string path() const;
  /// Without '?'.
  std::string_view query_string() const noexcept { return query_string_; }
  /// Throws   ValueError for more than 1,000 fields.
  http::MultiDict query() const;
  /// The Host header, or the host of the target.
  std::string_view host() const noexcept;
  http::MultiDict cookies() const;
  /// Without parameters; "application/octet-stream" if there is none.
  std::string_view content_type() const noexcept;
  std::optional<std::uint64_t> content_length() const noexcept;
  const SocketAddress& remote() const noexcept;
  /// Whether it came over TLS.
  bool secure() const noexcept;

  /// The parts of the path that the route has names for.
  const http::MultiDict& match_info() const noexcept { return match_info_; }

  /// The application whose handler it is for: the innermost, with Application::add_subapp.
  const Application& app() const noexcept { return *app_; }

  /// Keeps a value for those that handle the request later: a middleware for a handler, say.
  template <class T>
  void set(const Key<T>& key, T value) {
    storage_.set(key, std::move(value));
  }
  /// Throws   LookupError if there is none.
  template <class T>
  T& operator[](const Key<T>& key) {
    return storage_.at(key);
  }
  /// Null if there is none.
  template <class T>
  T* find(const Key<T>& key) noexcept {
    return storage_.find(key);
  }

  /// The next part of the body as it arrives, without its content codings; empty at its end. The
  /// view is good until the next call.
  ///
  /// Awaits   bytes.
  /// Throws   HTTPUnsupportedMediaType for a coding that is not known, and for more than two;
  ///          HTTPBadRequest for a body that cannot be decoded, or that grows without measure;
  ///          http::ProtocolError for one that is no HTTP, TimeoutError for one that does not
  ///          come: a handler lets both pass.
  /// Cancel   takes nothing.
  Coro<std::string_view> read_some();
  /// The whole body, as often as it is called, also after a call that was cancelled.
  ///
  /// Awaits   the end of the body.
  /// Throws   as `read_some`; HTTPRequestEntityTooLarge beyond the server's client_max_size, which
  ///          is counted without content codings.
  Coro<std::string> read();
  /// The body as JSON: see http::JsonCodec.
  ///
  /// Throws   as `read`; HTTPBadRequest for what is none.
  template <http::Json T>
  Coro<T> json() {
    std::string body = co_await read();
    try {
      co_return http::JsonCodec<T>::parse(body);
    } catch (const ValueError& error) {
      refuse_json(error);
    }
  }
  /// The fields of a form (application/x-www-form-urlencoded or multipart/form-data), and its
  /// files, as often as it is called, also after a call that was cancelled. All of it is in memory:
  /// see `multipart` for large files.
  ///
  /// Throws   as `read`; HTTPUnsupportedMediaType for anything else, HTTPBadRequest for a form that
  ///          is wrong.
  Coro<PostData> post();
  /// A body made of parts, to be read one by one; after `read`, from what that has kept. It must
  /// not outlive the request. Its readers throw RuntimeError if others have taken some of the body.
  ///
  /// Throws   HTTPUnsupportedMediaType for another body, HTTPBadRequest for a boundary that cannot
  ///          be one.
  MultipartReader multipart(const MultipartOptions& options = {});

  // For the library.
  http::MultiDict& edit_match_info() noexcept { return match_info_; }
  http::detail::ServerExchange& exchange() noexcept { return exchange_; }
  const http::RequestHead& head() const noexcept { return head_; }
  std::string_view route_path() const noexcept { return raw_path_.substr(prefix_size_); }
  void leave_prefix(std::size_t size) noexcept { prefix_size_ += size; }
  void enter(const Application& app) noexcept { app_ = &app; }
  /// Takes the body for one who reads it in pieces; false if read() keeps it.
  /// Throws   RuntimeError if another has taken some of it.
  bool take_body();
  /// As `read_some`, for who has taken the body.
  Coro<std::string_view> read_piece();

 private:
  class Body;
  class Form;

  [[noreturn]] static void refuse_json(const ValueError& error);
  Body& body();
  Coro<std::string_view> read_decoded();
  Coro<PostData> post_multipart();

  http::RequestHead& head_;
  http::detail::ServerExchange& exchange_;
  std::string_view raw_path_;
  std::string_view query_string_;
  std::size_t prefix_size_ = 0;  // of the path: what led to a sub-application
  const Application* app_ = nullptr;
  Storage storage_;
  http::MultiDict match_info_;
  std::unique_ptr<Body> body_;  // once it is read
  std::shared_ptr<Form> form_;
};

}  // namespace asyncio::web
