// SPDX-License-Identifier: BSL-1.0
/// The chat: everybody in the room reads what the others write.
#pragma once

#include <asyncio/queue.hpp>
#include <asyncio/web/application.hpp>
#include <asyncio/web/websocket_response.hpp>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace webservice {

/// Members send text and get {"kind": "said", "name": ..., "text": ...}, also for their own; who
/// comes and goes is told with the kinds "joined" and "left".
class Room {
 public:
  explicit Room(asyncio::Delay heartbeat) : heartbeat_(heartbeat) {}

  /// The handler of /chat?name=NAME.
  asyncio::Coro<asyncio::web::Response> join(asyncio::web::Request& request);
  /// Says goodbye to everybody, and lets nobody in.
  void close();

  std::size_t size() const noexcept { return members_.size(); }

 private:
  class Member;
  class Place;

  void tell(std::string_view kind, const std::string& name, std::string_view text = {});

  asyncio::Delay heartbeat_;
  std::map<std::string, std::shared_ptr<Member>> members_;
  bool closed_ = false;
};

}  // namespace webservice
