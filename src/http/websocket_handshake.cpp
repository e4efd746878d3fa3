// SPDX-License-Identifier: BSL-1.0
#include "http/websocket_handshake.hpp"

#include "asyncio/exceptions.hpp"
#include "http/base64.hpp"
#include "http/characters.hpp"
#include "http/random.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <new>

namespace asyncio::http::detail {

namespace {

/// Whether it is sixteen bytes in base64: 22 characters, the last of which has four bits too many.
bool is_key(std::string_view key) noexcept {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::size_t kSize = 22;
  return key.size() == kSize + 2 && key.ends_with("==") &&
         key.substr(0, kSize).find_first_not_of(kAlphabet) == std::string_view::npos &&
         kAlphabet.find(key[kSize - 1]) % 16 == 0;
}

/// The items of all fields of that name, which make one list.
std::string all_of(const Headers& headers, std::string_view name) {
  std::string list;
  for (std::string_view value : headers.getall(name))
    list.append(list.empty() ? "" : ", ").append(value);
  return list;
}

/// The only field of that name; empty if there is none.
/// Throws: ValueError for several.
std::string_view only_one(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> values = headers.getall(name);
  if (values.size() > 1) throw ValueError(std::string(name) + " occurs more than once");
  return values.empty() ? std::string_view() : values.front();
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
  std::array<unsigned char, 16> bytes;
  fill_random(bytes);
  return base64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string websocket_accept(std::string_view key) {
  std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  if (!::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr))
    throw std::bad_alloc();
  return base64({reinterpret_cast<const char*>(digest.data()), size});
}

bool wants_websocket(const RequestHead& request) {
  return request.upgrade && request.method == Method::GET &&
         has_item(all_of(request.headers, "Upgrade"), "websocket");
}

DeflateTerms wanted_terms(const WebSocketOptions& options) noexcept {
  const bool forget = !options.get_context_takeover();
  const int bits = options.get_window_bits();
  return {forget, forget, bits, bits};
}

bool is_own_origin(std::string_view origin, std::string_view host) noexcept {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && equal_without_case(origin.substr(scheme + 3), host);
}

WebSocketTerms accept_websocket(const RequestHead& request, const WebSocketOptions& options,
                                ResponseHead& response) {
  if (!wants_websocket(request)) throw ValueError("not a WebSocket handshake");
  if (only_one(request.headers, "Sec-WebSocket-Version") != kWebSocketVersion)
    throw ValueError("Sec-WebSocket-Version is not 13");
  std::string_view key = only_one(request.headers, "Sec-WebSocket-Key");
  if (!is_key(key)) throw ValueError("Sec-WebSocket-Key is not sixteen bytes in base64");
  WebSocketTerms terms;
  terms.protocol = choose_protocol(all_of(request.headers, "Sec-WebSocket-Protocol"), options);
  if (options.get_compress())
    terms.deflate =
        accept_deflate(all_of(request.headers, "Sec-WebSocket-Extensions"), wanted_terms(options));
  response.headers.set("Upgrade", "websocket");
  response.headers.set("Connection", "upgrade");
  response.headers.set("Sec-WebSocket-Accept", websocket_accept(key));
  if (!terms.protocol.empty()) response.headers.set("Sec-WebSocket-Protocol", terms.protocol);
  if (terms.deflate)
    response.headers.set("Sec-WebSocket-Extensions", deflate_answer(*terms.deflate));
  return terms;
}

void offer_websocket(RequestHead& request, const WebSocketOptions& options, std::string_view key) {
  request.upgrade = request.keep_alive = true;
  request.headers.set("Upgrade", "websocket");
  request.headers.set("Connection", "upgrade");
  request.headers.set("Sec-WebSocket-Version", kWebSocketVersion);
  request.headers.set("Sec-WebSocket-Key", key);
  if (!options.get_protocols().empty())
    request.headers.set("Sec-WebSocket-Protocol", joined(options.get_protocols()));
  if (options.get_compress())
    request.headers.set("Sec-WebSocket-Extensions", deflate_offer(wanted_terms(options)));
}

WebSocketTerms check_websocket(const ResponseHead& response, const WebSocketOptions& options,
                               std::string_view key) {
  if (response.status != Status::SWITCHING_PROTOCOLS)
    throw ValueError("status " + std::to_string(response.status.code()) + " instead of 101");
  if (!has_item(all_of(response.headers, "Upgrade"), "websocket") ||
      !has_item(all_of(response.headers, "Connection"), "upgrade"))
    throw ValueError("the server goes on in another protocol");
  if (only_one(response.headers, "Sec-WebSocket-Accept") != websocket_accept(key))
    throw ValueError("Sec-WebSocket-Accept is not the answer to our key");
  WebSocketTerms terms;
  terms.protocol = only_one(response.headers, "Sec-WebSocket-Protocol");
  const auto& ours = options.get_protocols();
  if (!terms.protocol.empty() && std::ranges::find(ours, terms.protocol) == ours.end())
    throw ValueError("protocol " + quoted(terms.protocol) + " was not offered");
  std::string extensions = all_of(response.headers, "Sec-WebSocket-Extensions");
  if (!options.get_compress() && !extensions.empty())
    throw ValueError("extensions " + quoted(extensions) + " were not offered");
  terms.deflate = read_deflate_answer(extensions, wanted_terms(options));
  return terms;
}

}  // namespace asyncio::http::detail
