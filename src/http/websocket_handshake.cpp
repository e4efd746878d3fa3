// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_handshake.hpp"

#include "asyncio/exceptions.hpp"
#include "http/base64.hpp"
#include "http/characters.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <new>
#include <sys/random.h>

namespace asyncio::http::detail {

namespace {

constexpr std::string_view kVersion = "13";
constexpr std::size_t kKeySize = 24;  // sixteen bytes in base64

/// Whether a list has the item, whatever its case.
bool has_item(std::string_view list, std::string_view item) noexcept {
  while (!list.empty()) {
    std::string_view next = list.substr(0, list.find(','));
    list.remove_prefix(std::min(next.size() + 1, list.size()));
    if (equal_without_case(trimmed(next), item)) return true;
  }
  return false;
}

/// The first of ours that the client offers, as aiohttp chooses.
std::string choose_protocol(std::string_view offered, const WebSocketOptions& options) {
  for (const std::string& name : options.get_protocols())
    if (has_item(offered, name)) return name;
  return {};
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::string websocket_key() {
  std::array<char, 16> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw OSError(errno, "getrandom");
  return base64({bytes.data(), bytes.size()});
}

std::string websocket_accept(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (!::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr))
    throw std::bad_alloc();
  return base64({reinterpret_cast<const char*>(digest.data()), size});
}

bool wants_websocket(const RequestHead& request) noexcept {
  return request.upgrade && request.method == Method::GET &&
         has_item(request.headers.get("Upgrade", ""), "websocket");
}

WebSocketTerms accept_websocket(const RequestHead& request, const WebSocketOptions& options,
                                ResponseHead& response) {
  if (!wants_websocket(request)) throw ValueError("not a WebSocket handshake");
  if (request.headers.get("Sec-WebSocket-Version", "") != kVersion)
    throw ValueError("Sec-WebSocket-Version is not 13");
  std::string_view key = request.headers.get("Sec-WebSocket-Key", "");
  if (key.size() != kKeySize || !key.ends_with("=="))
    throw ValueError("Sec-WebSocket-Key is not sixteen bytes in base64");
  WebSocketTerms terms;
  terms.protocol = choose_protocol(request.headers.get("Sec-WebSocket-Protocol", ""), options);
  if (options.get_compress())
    terms.deflate = accept_deflate(request.headers.get("Sec-WebSocket-Extensions", ""));
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Connection", "upgrade");
  response.headers.set("Sec-WebSocket-Accept", websocket_accept(key));
  if (!terms.protocol.empty()) response.headers.set("Sec-WebSocket-Protocol", terms.protocol);
  if (terms.deflate)
    response.headers.set("Sec-WebSocket-Extensions", deflate_answer(*terms.deflate));
  return terms;
}

void offer_websocket(RequestHead& request, const WebSocketOptions& options, std::string_view key) {
  request.upgrade = true;
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Connection", "upgrade");
  request.headers.set("Sec-WebSocket-Version", kVersion);
  request.headers.set("Sec-WebSocket-Key", key);
  if (!options.get_protocols().empty())
    request.headers.set("Sec-WebSocket-Protocol", joined(options.get_protocols()));
  if (options.get_compress()) request.headers.set("Sec-WebSocket-Extensions", deflate_offer());
}

WebSocketTerms check_websocket(const ResponseHead& response, const WebSocketOptions& options,
                               std::string_view key) {
  if (response.status != Status::SWITCHING_PROTOCOLS)
    throw ValueError("status " + std::to_string(response.status.code()) + " instead of 101");
  if (!has_item(response.headers.get("Upgrade", ""), "websocket"))
    throw ValueError("the server goes on in another protocol");
  if (response.headers.get("Sec-WebSocket-Accept", "") != websocket_accept(key))
    throw ValueError("Sec-WebSocket-Accept is not the answer to our key");
  WebSocketTerms terms;
  terms.protocol = response.headers.get("Sec-WebSocket-Protocol", "");
  const auto& ours = options.get_protocols();
  if (!terms.protocol.empty() && std::ranges::find(ours, terms.protocol) == ours.end())
    throw ValueError("protocol " + quoted(terms.protocol) + " was not offered");
  std::string_view extensions = response.headers.get("Sec-WebSocket-Extensions", "");
  if (!options.get_compress() && !extensions.empty())
    throw ValueError("extensions " + quoted(extensions) + " were not offered");
  terms.deflate = read_deflate_answer(extensions);
  return terms;
}

}  // namespace asyncio::http::detail
