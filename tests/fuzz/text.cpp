// SPDX-License-Identifier: BSL-1.0
/// Every place where the library reads text or numbers that somebody else wrote: addresses and host
/// names, raw socket addresses, paths of Unix sockets, names of functions as compilers spell them,
/// durations, PEM and ALPN.
#include "asyncio/asyncio.hpp"
#include "asyncio/testing/network.hpp"
#include "asyncio/testing/simulated.hpp"
#include "choices.hpp"
#include "sockaddr.hpp"
#include "source_text.hpp"

#include <chrono>
#include <cmath>
#include <cstring>
#include <netdb.h>
#include <string>
#include <vector>

using namespace asyncio;
using fuzz::check;
using fuzz::Choices;

namespace {

/// A numeric address: what it is printed as is read as the same.
Coro<> numeric_address(std::string text) {
  asyncio::testing::Network network;
  try {
    network.host("peer", {text});
  } catch (const ValueError&) {
    co_return;
  }
  auto addresses = co_await get_running_loop().getaddrinfo("peer", 80);
  check(addresses.size() == 3, "one address was given, another number is there");
  std::string printed = addresses[0].sockaddr.host();
  network.host("again", {printed});
  auto again = co_await get_running_loop().getaddrinfo("again", 80);
  check(again == addresses, "an address that is printed is read as another one");
}

/// A host name, for which nobody is asked: AI_NUMERICHOST.
Coro<> host_name(std::string name) {
  try {
    AddressInfoOptions numeric = AddressInfoOptions().flags(AI_NUMERICHOST);
    auto addresses = co_await get_running_loop().getaddrinfo(name, 1, numeric);
    check(!addresses.empty(), "an answer without an address");
  } catch (const GaiError&) {
  } catch (const ValueError&) {
  }
}

void raw_address(const std::string& bytes) {
  sockaddr_storage storage{};
  std::memcpy(&storage, bytes.data(), std::min(bytes.size(), sizeof storage));
  auto size = static_cast<std::uint32_t>(std::min(bytes.size(), sizeof storage));
  auto* raw = reinterpret_cast<const sockaddr*>(&storage);
  SocketAddress address = detail::SocketAddressAccess::from_raw(raw, size);
  check(!address.str().empty(), "an address without a text");
  auto again = detail::SocketAddressAccess::to_raw(address);
  if (address.family() != AddressFamily::unspecified &&
      !(address.family() == AddressFamily::local && address.path().empty()))
    check(detail::SocketAddressAccess::from_raw(again) == address, "a raw address that changes");
}

void unix_path(const std::string& path) {
  try {
    SocketAddress address = SocketAddress::local(path);
    auto raw = detail::SocketAddressAccess::to_raw(address);
    check(detail::SocketAddressAccess::from_raw(raw) == address, "a Unix path that changes");
    check(!address.str().empty(), "a Unix socket without a text");
  } catch (const ValueError&) {
  } catch (const OSError& error) {
    check(path.size() > 107, "a path is refused that is not too long");
  }
}

void function_name(const std::string& spelled) {
  std::string name = detail::plain_function_name(spelled);
  check(name == "<lambda>" || name.size() <= spelled.size(), "a name longer than its spelling");
}

template <class Rep, class Period>
void duration_of(Rep amount) {
  std::chrono::duration<Rep, Period> duration(amount);
  try {
    Delay delay(duration);
    check(delay.positive() == (amount > 0), "a duration with the wrong sign");
    std::int64_t deadline = detail::deadline_after(1'000'000'000, delay);
    check(delay.positive() == (deadline > 1'000'000'000) || delay.nanoseconds() == 0 ||
              !delay.positive(),
          "a deadline that overflows");
  } catch (const ValueError&) {
    if constexpr (std::is_floating_point_v<Rep>)
      check(std::isnan(amount), "a duration is refused that is a number");
    else
      fuzz::fail("a whole number is refused");
  }
}

void durations(Choices& choices) {
  std::string bytes = choices.text(8);
  bytes.resize(8);
  std::int64_t whole;
  double fraction;
  std::memcpy(&whole, bytes.data(), 8);
  std::memcpy(&fraction, bytes.data(), 8);
  duration_of<std::int64_t, std::nano>(whole);
  duration_of<std::int64_t, std::milli>(whole);
  duration_of<std::int64_t, std::ratio<3600>>(whole);
  duration_of<std::int64_t, std::pico>(whole);
  duration_of<double, std::ratio<1>>(fraction);
  duration_of<double, std::nano>(fraction);
  duration_of<float, std::ratio<86400>>(static_cast<float>(fraction));
}

void pem(const std::string& text) {
  static TlsContext context(TlsPurpose::server_auth);
  try {
    context.load_verify_data(text);
  } catch (const SSLError&) {
  }
}

void alpn(Choices& choices) {
  static TlsContext context(TlsPurpose::client_auth);
  std::vector<std::string> protocols;
  bool refused = false;
  while (choices.any() && protocols.size() < 300) {
    std::size_t size = choices.byte();
    if (choices.one_in(20)) size += 1;
    protocols.push_back(choices.text(size));
    refused = refused || protocols.back().empty() || protocols.back().size() > 255;
  }
  try {
    context.set_alpn_protocols(protocols);
    check(!refused, "a protocol name of no or too many bytes is taken");
  } catch (const SSLError&) {
  }
}

/// One loop for all inputs: its resolver has threads.
EventLoop& shared_loop() {
  static EventLoop loop = testing::new_simulated_event_loop();
  return loop;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  switch (choices.below(8)) {
    case 0:
      shared_loop().run_until_complete(numeric_address(choices.rest()));
      break;
    case 1:
      shared_loop().run_until_complete(host_name(choices.rest()));
      break;
    case 2:
      raw_address(choices.rest());
      break;
    case 3:
      unix_path(choices.rest());
      break;
    case 4:
      function_name(choices.rest());
      break;
    case 5:
      durations(choices);
      break;
    case 6:
      pem(choices.rest());
      break;
    default:
      alpn(choices);
  }
  return 0;
}
