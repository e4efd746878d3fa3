// SPDX-License-Identifier: BSL-1.0
/// A proxy for tests: TunnelProxy.
#pragma once

#include "raw_server.hpp"

#include <cstdint>
#include <string>

namespace test {

/// A proxy that is asked for tunnels, and keeps the heads that come.
class TunnelProxy {
 public:
  RawServer::Handler handler() {
    return [this](StreamReader reader, StreamWriter writer) -> Coro<> {
      std::string head = co_await read_request(reader);
      heads.push_back(head);
      if (!head.starts_with("CONNECT ")) {
        co_await writer.send(response_with("proxied"));
        co_return;
      }
      std::string target = target_of(head);
      auto port = static_cast<std::uint16_t>(std::stoi(target.substr(target.find(':') + 1)));
      auto [far_reader, far_writer] =
          co_await asyncio::open_connection(target.substr(0, target.find(':')), port);
      co_await writer.send("HTTP/1.1 200 Connection established\r\n\r\n");
      auto back = asyncio::create_task(relay, far_reader, writer);
      (void)co_await asyncio::capture(relay(reader, far_writer));
      far_writer.close();
      (void)co_await asyncio::capture(back);
    };
  }
  Strings heads;

 private:
  static Coro<> relay(StreamReader from, StreamWriter to) {
    for (;;) {
      std::string bytes = co_await from.read(4096);
      if (bytes.empty()) break;
      co_await to.send(bytes);
    }
    to.close();
  }
};

}  // namespace test
