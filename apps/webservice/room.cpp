// SPDX-License-Identifier: BSL-1.0
#include "webservice/room.hpp"

#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/with.hpp>

#include <algorithm>
#include <cctype>
#include <utility>

namespace webservice {

using namespace asyncio;
using http::WSCloseCode;

/// What a member is still to be sent. Who does not read must not make us keep everything for them.
class Room::Member {
 public:
  void send(const std::string& text) {
    if (letters_.full())
      close(WSCloseCode::PolicyViolation, "too slow");
    else if (!closing_)
      letters_.put_nowait(text);
  }

  void close(WSCloseCode code, std::string reason) {
    if (std::exchange(closing_, true)) return;
    code_ = code;
    reason_ = std::move(reason);
    letters_.shutdown();
  }

  /// Sends until the end of the letters, and says goodbye.
  Coro<> deliver(http::WebSocket ws) {
    try {
      while (auto letter = co_await letters_.next()) co_await ws.send_str(*letter);
      co_await ws.close(code_, reason_);
    } catch (const ConnectionResetError&) {
      // The other task sees it, too.
    }
  }

 private:
  Queue<std::string> letters_{256};
  bool closing_ = false;
  WSCloseCode code_ = WSCloseCode::Ok;
  std::string reason_;
};

/// A name that is taken as long as this lives.
class Room::Place {
 public:
  Place(Room& room, std::string name) : room_(room), name_(std::move(name)) {
    if (!room.members_.emplace(name_, member_).second)
      throw web::HTTPConflict("there is a " + name_ + " already");
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { room_.members_.erase(name_); }

  const std::string& name() const noexcept { return name_; }
  Member& member() const noexcept { return *member_; }

 private:
  Room& room_;
  std::string name_;
  std::shared_ptr<Member> member_ = std::make_shared<Member>();
};

namespace {

std::string require_name(web::Request& request) {
  std::string name(request.query().get("name", ""));
  auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; };
  if (name.empty() || name.size() > 32 || !std::ranges::all_of(name, fits))
    throw web::HTTPBadRequest("name: 1 to 32 letters, digits, '-' and '_'");
  return name;
}

}  // namespace

Coro<web::Response> Room::join(web::Request& request) {
  if (closed_) throw web::HTTPServiceUnavailable("the service is stopping");
  std::string name = require_name(request);
  http::WebSocketOptions options;
  options.heartbeat(heartbeat_).max_msg_size(64 * 1024);
  {
    Place place(*this, name);
    http::WebSocket ws = co_await web::websocket(request, options);
    tell("joined", name);
    co_await with(TaskGroup(), [&](TaskGroup& group) -> Coro<> {
      group.create_task(place.member().deliver(ws));
      while (auto message = co_await ws.next()) tell("said", name, message->data);
      group.cancel();
    });
  }
  tell("left", name);
  co_return web::Response::sent();
}

void Room::close() {
  closed_ = true;
  for (auto& [name, member] : members_)
    member->close(WSCloseCode::GoingAway, "the service is stopping");
}

void Room::tell(std::string_view kind, const std::string& name, std::string_view text) {
  nlohmann::json letter{{"kind", kind}, {"name", name}};
  if (!text.empty()) letter["text"] = text;
  // What a member sends as bytes may be no UTF-8.
  std::string dumped = letter.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (auto& [other, member] : members_) member->send(dumped);
}

}  // namespace webservice
