// SPDX-License-Identifier: BSL-1.0
// How a client's connections are made: directly, or through a proxy.
#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/timeout.hpp"
#include "http/connector.hpp"
#include "http/write_head.hpp"

#include <chrono>
#include <exception>
#include <string>
#include <utility>

namespace asyncio::http::detail {

namespace {

using namespace std::chrono_literals;

std::string host_port(const std::string& host, std::uint16_t port) {
  bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string text_of(const ConnectionKey& key) {
  std::string text = host_port(key.host, key.port);
  if (key.proxy_host.empty()) return text;
  return text + " through the proxy " + (key.proxy_secure ? "https://" : "") +
         host_port(key.proxy_host, key.proxy_port);
}

RequestHead connect_head(const ConnectionKey& key) {
  std::string target = host_port(key.host, key.port);
  RequestHead head(Method::CONNECT, target);
  head.headers.add("Host", target);
  if (!key.proxy_authorization.empty())
    head.headers.add("Proxy-Authorization", key.proxy_authorization);
  return head;
}

/// Asks the proxy for a tunnel to the server.
Coro<> open_tunnel(Streams streams, const ConnectionKey& key, const HttpLimits& limits) {
  ResponseParser parser(limits);
  parser.expect(Method::CONNECT);
  MessageInput input(streams.first, parser);
  std::string out;
  write_head(out, connect_head(key));
  streams.second.write(std::move(out));
  for (;;) {
    Parsed parsed = co_await input.next();
    if (parsed.event == Event::head && !parser.head().status.is_informational()) break;
  }
  Status status = parser.head().status;
  if (!status.is_success())
    throw ClientHttpProxyError(
        "no tunnel to " + text_of(key) + ": it answers " + std::to_string(status.code()), status);
  input.next_buffered();  // its end
  // They would be taken for the server's.
  if (!input.buffered().empty())
    throw ClientHttpProxyError("the tunnel to " + text_of(key) + " begins with bytes of the proxy",
                               status);
}

}  // namespace

TlsContext Connector::context_of(const ConnectionWish& wish) {
  if (wish.ssl) return *wish.ssl;
  if (!default_context_) default_context_ = create_default_context();
  return *default_context_;
}

Coro<Streams> Connector::dial(const ConnectionWish& wish) {
  const ConnectionKey& key = wish.key;
  bool direct = key.proxy_host.empty();
  if (key.secure && key.proxy_secure)
    throw ClientProxyConnectionError(
        "cannot connect to " + text_of(key) + ": there is no TLS inside the TLS of a proxy", {});
  ConnectOptions options;
  options.happy_eyeballs_delay(250ms);
  if (options_.get_local_addr()) options.local_addr(*options_.get_local_addr(), 0);
  if (direct ? key.secure : key.proxy_secure) options.ssl(context_of(wish));
  const std::string& host = direct ? key.host : key.proxy_host;
  std::uint16_t port = direct ? key.port : key.proxy_port;
  auto outcome = co_await capture(open_connection(host, port, options));
  if (!outcome && !direct && !outcome.cancelled()) {
    try {
      outcome.rethrow();
    } catch (const std::exception& error) {
      throw ClientProxyConnectionError("cannot connect to " + text_of(key) + ": " + error.what(),
                                       outcome.exception());
    }
  }
  Streams streams = std::move(outcome).value();
  if (direct) co_return streams;
  if (key.secure || key.tunnel) co_await open_tunnel(streams, key, options_.get_limits());
  if (key.secure)
    co_await streams.second.start_tls(context_of(wish),
                                      TlsStartOptions().server_hostname(key.host));
  co_return streams;
}

Coro<std::shared_ptr<ClientConnection>> Connector::connect(const ConnectionWish& wish) {
  make_room();
  if (wish.traces) wish.traces->tell(TraceEvent::connection_create_start);
  auto outcome = co_await capture(wait_for(dial(wish), wish.timeout.get_sock_connect()));
  if (outcome) {
    if (wish.traces) wish.traces->tell(TraceEvent::connection_create_end);
    co_return std::make_shared<ClientConnection>(wish.key, std::move(outcome).value(),
                                                 options_.get_limits());
  }
  try {
    outcome.rethrow();
  } catch (const TimeoutError&) {
    throw ServerTimeoutError("connection to " + text_of(wish.key));
  } catch (const ClientError&) {  // It says what there is to say.
    throw;
  } catch (const std::exception& error) {
    throw ClientConnectorError("cannot connect to " + text_of(wish.key) + ": " + error.what(),
                               outcome.exception());
  }
}

}  // namespace asyncio::http::detail
