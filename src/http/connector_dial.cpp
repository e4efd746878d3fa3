// SPDX-License-Identifier: BSL-1.0
// How a client's connections are made: directly, or through a proxy.
#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "asyncio/timeout.hpp"
#include "http/connector.hpp"
#include "http/http2_presence.hpp"
#include "http/shared_connection.hpp"
#include "http/write_head.hpp"

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace asyncio::http::detail {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHttp2 = "h2";

std::string host_port(const std::string& host, std::uint16_t port) {
  bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
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

std::string text_of(const ConnectionKey& key) {
  std::string text = host_port(key.host, key.port);
  if (key.proxy_host.empty()) return text;
  return text + " through the proxy " + (key.proxy_secure ? "https://" : "") +
         host_port(key.proxy_host, key.proxy_port);
}

/// What ALPN names; nothing if there is no choice.
std::vector<std::string> Connector::offered_to(const ConnectionWish& wish) const {
  const Http2 use = has_http2() ? options_.get_http2() : Http2::Off;
  if (use == Http2::Off) return {};
  if (wish.is_alone) return {"http/1.1"};
  if (use == Http2::PriorKnowledge) return {std::string(kHttp2)};
  return {std::string(kHttp2), "http/1.1"};
}

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
  if (direct && key.secure) options.alpn_protocols(offered_to(wish));
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
    co_await streams.second.start_tls(
        context_of(wish),
        TlsStartOptions().server_hostname(key.host).alpn_protocols(offered_to(wish)));
  co_return streams;
}

/// The connection speaks what the server has chosen, or what it is known to.
std::shared_ptr<PooledConnection> Connector::begin(const ConnectionWish& wish, Streams streams) {
  const auto chosen = streams.second.get_extra_info("selected_alpn_protocol");
  const bool required = options_.get_http2() == Http2::PriorKnowledge && !wish.is_alone;
  const bool is_http2 = wish.key.secure ? chosen == kHttp2 : required && !wish.key.asks_proxy();
  if (is_http2 && wish.is_alone)
    throw RuntimeError("the server has chosen HTTP/2, which has no WebSockets here");
  if (wish.key.secure && required && !is_http2)
    throw RuntimeError("the server has not chosen HTTP/2");
  if (is_http2)
    return make_http2(shared_from_this(), wish.key, std::move(streams), options_.get_limits());
  return std::make_shared<ClientConnection>(wish.key, std::move(streams), options_.get_limits());
}

/// What is done within the time that a new connection may take.
Coro<std::shared_ptr<PooledConnection>> Connector::dial_and_begin(const ConnectionWish& wish) {
  Streams streams = co_await dial(wish);
  co_return begin(wish, std::move(streams));
}

Coro<std::shared_ptr<PooledConnection>> Connector::connect(const ConnectionWish& wish) {
  make_room(wish.key);
  if (wish.traces) wish.traces->tell(TraceEvent::connection_create_start);
  auto outcome = co_await capture(wait_for(dial_and_begin(wish), wish.timeout.get_sock_connect()));
  if (outcome) {
    if (wish.traces) wish.traces->tell(TraceEvent::connection_create_end);
    co_return std::move(outcome).value();
  }
  try {
    outcome.rethrow();
  } catch (const TimeoutError&) {
    throw ServerTimeoutError("connection to " + text_of(wish.key));
  } catch (const ClientError&) {  // It says what there is to say.
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw ClientConnectorError("cannot connect to " + text_of(wish.key) + ": " + error.what(),
                               outcome.exception());
  }
}

}  // namespace asyncio::http::detail
