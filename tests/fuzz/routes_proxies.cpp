// SPDX-License-Identifier: BSL-1.0
// What the environment excepts from its proxy.
#include "asyncio/http/url.hpp"
#include "http/environment_proxies.hpp"
#include "routes.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fuzz {

using namespace asyncio;

namespace {

constexpr std::array<std::string_view, 12> kHosts{
    "example.com", "www.example.com", "wwwexample.com", "com",         "localhost", "10.1.2.3",
    "10.1.2.255",  "[2001:db8::1]",   "[::1]",          "EXAMPLE.com", "a.com.",    "192.168.1.1"};
constexpr std::array<std::string_view, 20> kExceptions{
    "*",          "example.com",    ".example.com",
    "..com",      "EXAMPLE.COM",    "example.com:8080",
    "10.0.0.0/8", "10.1.2.0/24",    "10.1.2.254/31",
    "0.0.0.0/0",  "2001:db8::/32",  "::1",
    "[::1]",      "[::1]:8080",     "10.1.2.3/33",
    "/8",         "1.2.3",          "",
    "com:",       "www.example.com"};

bool is_excepted(const std::string& exceptions, const http::URL& url) {
  ::setenv("http_proxy", "http://proxy.example:3128", 1);
  ::setenv("no_proxy", exceptions.c_str(), 1);
  return !http::detail::EnvironmentProxies().find(url);
}

/// Of a domain: nothing but itself and what is below it.
bool is_below(std::string_view host, std::string_view domain) {
  while (domain.starts_with('.')) domain.remove_prefix(1);
  if (domain.empty() || !host.ends_with(domain)) return false;
  host.remove_suffix(domain.size());
  return host.empty() || host.ends_with('.');
}

std::string in_capitals(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

std::string dotted(std::uint32_t address) {
  return std::to_string(address >> 24) + "." + std::to_string(address >> 16 & 255) + "." +
         std::to_string(address >> 8 & 255) + "." + std::to_string(address & 255);
}

}  // namespace

/// A list excepts what one of its entries does, however it is written.
void except_hosts(Choices& choices) {
  const std::string host(some_of(choices, kHosts));
  const http::URL url("http://" + host + (choices.one_in(2) ? ":8080/" : "/"));
  std::string list;
  bool expected = false;
  while (choices.any()) {
    std::string entry = choices.one_in(4) ? choices.text(choices.byte() % 16u)
                                          : std::string(some_of(choices, kExceptions));
    std::erase_if(entry, [](char c) { return c == ',' || c == '\0'; });
    const bool is_one = is_excepted(entry, url);
    if (entry.find_first_of(":/[* \t") == std::string::npos) {
      const bool is_domain = is_below(in_capitals(host), in_capitals(entry));
      check(is_one == is_domain, "a domain excepts another host, or not its own");
    }
    expected = expected || is_one;
    list += " ," + entry + "\t,";
  }
  check(is_excepted(list, url) == expected, "a list is not what its entries are");
  check(is_excepted(in_capitals(list), url) == expected, "capitals change what is excepted");
}

/// Addresses that differ in one bit are in the same network if that is behind its prefix.
void except_networks(Choices& choices) {
  std::uint32_t address = 0;
  for (int i = 0; i < 4; ++i) address = address << 8 | choices.byte();
  const int bits = choices.below(34), other = choices.below(33);
  const std::uint32_t changed = other == 32 ? 0 : std::uint32_t{1} << (31 - other);
  const http::URL url("http://" + dotted(address ^ changed) + "/");
  const bool expected = bits <= 32 && other >= bits;
  check(is_excepted(dotted(address) + "/" + std::to_string(bits), url) == expected,
        "a network excepts another address, or not its own");
}

}  // namespace fuzz
