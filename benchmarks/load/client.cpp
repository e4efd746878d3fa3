// SPDX-License-Identifier: BSL-1.0
// The peers of load_server, in a process of their own.
//
// usage: load_client KIND PORT COUNT [SOURCES]
#include "client_kinds.hpp"
#include <asyncio/runner.hpp>

#include <cstdlib>
#include <map>
#include <string>

int main(int count, char** words) {
  const std::map<std::string, asyncio::Coro<> (*)(load::Target)> kinds = {
      {"hold", load::hold},
      {"hold_tls", load::hold_tls},
      {"storm", load::storm},
      {"churn", load::churn},
      {"stall", load::stall},
      {"hello", load::half_handshakes},
      {"hold_ws", load::hold_websocket},
      {"hold_ws_deflate", load::hold_websocket_deflate}};
  auto kind = count > 3 ? kinds.find(words[1]) : kinds.end();
  if (kind == kinds.end()) return 2;
  load::Target to{static_cast<std::uint16_t>(std::atoi(words[2])), std::atoll(words[3]),
                  count > 4 ? words[4] : "127.0.0."};
  return asyncio::run_main(kind->second(to));
}
