// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/client_response.hpp"

#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "http/characters.hpp"
#include "http/client_exchange.hpp"

#include <string>

namespace asyncio::http {

namespace {

using detail::ClientExchange;

void require_some(std::size_t count) {
  if (count == 0) throw ValueError("0 bytes at a time never come to an end");
}

AsyncGenerator<std::string> pieces_of(std::shared_ptr<ClientExchange> exchange, std::size_t count) {
  for (;;) {
    std::string piece = co_await ClientExchange::read_part(exchange, count);
    if (piece.empty()) co_return;
    co_yield std::move(piece);
  }
}

}  // namespace

Coro<std::string> ResponseContent::read(std::size_t count) const {
  require_some(count);
  return ClientExchange::read_part(exchange_, count);
}
Coro<std::string> ResponseContent::readline(std::size_t limit) const {
  return ClientExchange::read_line(exchange_, limit);
}
AsyncGenerator<std::string> ResponseContent::iter_chunked(std::size_t count) const {
  require_some(count);
  return pieces_of(exchange_, count);
}

Status ClientResponse::status() const noexcept { return exchange_->head().status; }
Version ClientResponse::version() const noexcept { return exchange_->head().version; }
std::string_view ClientResponse::reason() const noexcept { return exchange_->head().reason; }
const Headers& ClientResponse::headers() const noexcept { return exchange_->head().headers; }
const URL& ClientResponse::url() const noexcept { return exchange_->url(); }
const Method& ClientResponse::method() const noexcept { return exchange_->method(); }
const std::vector<ClientResponse>& ClientResponse::history() const noexcept {
  return exchange_->history();
}

std::string_view ClientResponse::content_type() const noexcept {
  std::string_view value = headers().get("Content-Type", "application/octet-stream");
  return detail::trimmed(value.substr(0, value.find(';')));
}

Coro<std::string> ClientResponse::read_some() const { return ClientExchange::read_some(exchange_); }
Coro<std::string> ClientResponse::read(std::size_t limit) const {
  return ClientExchange::read(exchange_, limit);
}
void ClientResponse::close() const noexcept { exchange_->close(); }

void ClientResponse::require_json() const {
  std::string_view type = content_type();
  if (detail::equal_without_case(type, "application/json") || type.ends_with("+json")) return;
  throw ContentTypeError(
      "'" + std::string(url().str()) + "': " + std::string(type) + " instead of application/json",
      status());
}

void ClientResponse::raise_for_status() const {
  if (ok()) return;
  throw ClientResponseError(std::to_string(status().code()) + ", message='" +
                                std::string(reason()) + "', url='" + std::string(url().str()) + "'",
                            status());
}

}  // namespace asyncio::http
