// SPDX-License-Identifier: BSL-1.0
#include "http/environment_proxies.hpp"

#include "asyncio/http/client_errors.hpp"
#include "http/characters.hpp"
#include "http/schemes.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace asyncio::http::detail {

namespace {

/// What a variable says, whose name is in small letters or in capitals.
std::string read_variable(std::string name) {
  if (const char* value = std::getenv(name.c_str())) return value;
  // HTTP_PROXY is what a CGI program is told by a client that sends a field "Proxy".
  if (name == "http_proxy" && std::getenv("REQUEST_METHOD")) return {};
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  const char* value = std::getenv(name.c_str());
  return value ? value : "";
}

/// The bytes of an address; none if it is none.
std::vector<unsigned char> bytes_of(std::string_view address) {
  const std::string text(address);
  std::vector<unsigned char> bytes(sizeof(in6_addr));
  if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return bytes;
  bytes.resize(::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ? sizeof(in_addr) : 0);
  return bytes;
}

/// Whether an address lies in a network: "192.168.0.0/16".
bool is_in_network(std::string_view host, std::string_view network) {
  std::vector<unsigned char> first = bytes_of(take_until(network, '/'));
  const std::vector<unsigned char> bytes = bytes_of(host);
  const std::optional<std::uint64_t> bits = parse_number(network);
  if (bytes.empty() || first.size() != bytes.size() || !bits || *bits > 8 * bytes.size())
    return false;
  for (std::size_t bit = 0; bit < *bits; ++bit)
    if (((bytes[bit / 8] ^ first[bit / 8]) >> (7 - bit % 8)) & 1) return false;
  return true;
}

/// A host, a domain with or without a '.' in front, perhaps with a port.
bool is_named(std::string_view host, const std::string& port, std::string_view entry) {
  if (entry.starts_with('[')) {
    entry.remove_prefix(1);
    std::string_view address = take_until(entry, ']');
    return host == address && (entry.empty() || entry == ":" + port);
  }
  const std::size_t colon = entry.find(':');
  const bool has_port = colon != std::string_view::npos && colon == entry.rfind(':');
  if (has_port && entry.substr(colon + 1) != port) return false;
  std::string_view name = has_port ? entry.substr(0, colon) : entry;
  while (name.starts_with('.')) name.remove_prefix(1);
  if (name.empty() || !host.ends_with(name)) return false;
  return host.size() == name.size() || host[host.size() - name.size() - 1] == '.';
}

/// The variables that may name the proxy for a URL, the first that does counts.
std::vector<std::string> variables_for(const URL& url) {
  std::vector<std::string> names{std::string(url.scheme()) + "_proxy"};
  if (is_websocket(url)) names.emplace_back(is_secure(url) ? "https_proxy" : "http_proxy");
  names.emplace_back("all_proxy");
  return names;
}

}  // namespace

EnvironmentProxies::EnvironmentProxies() : exceptions_(small_letters(read_variable("no_proxy"))) {
  for (const char* name : {"http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy"})
    if (std::string value = read_variable(name); !value.empty()) proxies_.emplace(name, value);
}

bool EnvironmentProxies::is_excepted(const URL& url) const {
  const std::string host = small_letters(url.host());
  const std::string port = std::to_string(url.port().value_or(0));
  std::string_view list = exceptions_;
  while (!list.empty()) {
    std::string_view entry = take_item(list);
    if (entry == "*" || is_in_network(host, entry) || is_named(host, port, entry)) return true;
  }
  return false;
}

std::optional<Proxy> EnvironmentProxies::find(const URL& url) const {
  for (const std::string& name : variables_for(url)) {
    auto found = proxies_.find(name);
    if (found == proxies_.end()) continue;
    if (is_excepted(url)) return std::nullopt;
    const std::string& text = found->second;
    try {
      return Proxy(URL(text.find("://") == std::string::npos ? "http://" + text : text));
    } catch (const InvalidURL& error) {
      throw InvalidURL(name + " of the environment: " + error.what());
    }
  }
  return std::nullopt;
}

}  // namespace asyncio::http::detail
