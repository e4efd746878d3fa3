// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_options.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/http/percent.hpp"
#include "http/base64.hpp"
#include "http/body_source.hpp"
#include "http/characters.hpp"
#include "http/session_state.hpp"

#include <utility>

namespace asyncio::http {

std::string detail::basic_credentials(std::string_view user, std::string_view password) {
  if (user.find(':') != std::string_view::npos)
    throw ValueError("a user's name for basic authentication has no ':'");
  return "Basic " + base64(std::string(user) + ":" + std::string(password));
}

std::string detail::bearer_credentials(std::string_view token) {
  return "Bearer " + std::string(token);
}

OptionalDelay ClientTimeout::checked(const char* name, const OptionalDelay& limit) {
  if (!limit || limit->duration() > limit->duration().zero()) return limit;
  if (limit->duration() < limit->duration().zero())
    throw ValueError(std::string("ClientTimeout: ") + name + " is less than zero");
  return std::nullopt;
}

Proxy::Proxy(URL url) : url_(std::move(url)) {
  if (url_.scheme() != "http" && url_.scheme() != "https")
    throw InvalidURL("'" + std::string(url_.without_credentials().str()) +
                     "': a proxy is http://host:port or https://host:port");
  if (url_.has_credentials())
    authorization_ = detail::basic_credentials(url_.user(), url_.password());
  url_ = url_.without_credentials();
}

Proxy::Proxy(URL url, std::string_view user, std::string_view password) : Proxy(std::move(url)) {
  authorization_ = detail::basic_credentials(user, password);
}

RequestOptions& RequestOptions::header(std::string_view name, std::string_view value) {
  headers_.set(name, value);
  if (detail::equal_without_case(name, "Content-Type")) has_type_of_body_ = false;
  return *this;
}

RequestOptions& RequestOptions::set_type(std::string_view content_type) {
  if (!has_type_of_body_ && headers_.contains("Content-Type")) return *this;
  headers_.set("Content-Type", content_type);
  has_type_of_body_ = true;
  return *this;
}

RequestOptions& RequestOptions::form(const MultiDict& fields) {
  return set_body(urlencode(fields), "application/x-www-form-urlencoded");
}

RequestOptions& RequestOptions::data(const FormData& form) {
  auto source = form.get_source();
  if (source) return set_source(std::move(source), form.content_type());
  return set_body(form.body(), form.content_type());
}

RequestOptions& RequestOptions::data(AsyncGenerator<std::string> pieces) {
  return set_source(detail::source_of(std::move(pieces)), "application/octet-stream");
}

RequestOptions& RequestOptions::file(std::string path) {
  return set_source(detail::source_of_file(std::move(path)), "application/octet-stream");
}

RequestOptions& RequestOptions::auth(std::string_view user, std::string_view password) {
  return header("Authorization", detail::basic_credentials(user, password));
}

RequestOptions& RequestOptions::bearer(std::string_view token) {
  return header("Authorization", detail::bearer_credentials(token));
}

SessionOptions& SessionOptions::auth(std::string_view user, std::string_view password) {
  return header("Authorization", detail::basic_credentials(user, password));
}

SessionOptions& SessionOptions::bearer(std::string_view token) {
  return header("Authorization", detail::bearer_credentials(token));
}

}  // namespace asyncio::http
