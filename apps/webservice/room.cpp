// SPDX-License-Identifier: BSL-1.0
#include "webservice/room.hpp"

#include <asyncio/capture.hpp>
#include <asyncio/http/nlohmann_json.hpp>
#include <asyncio/task_group.hpp>
#include <asyncio/timeout.hpp>
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
    if (closing_) return;
    if (!letters_.full()) return letters_.put_nowait(text);
    close(WSCloseCode::PolicyViolation, "too slow");
    too_slow_ = true;
    if (limit_ != nullptr) limit_->reschedule(get_running_loop().time());
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
      bool is_listening = !too_slow_;
      if (is_listening) co_await send_letters(ws);
      co_await ws.close(code_, reason_);
    } catch (const ConnectionResetError&) {
      // The other task sees it, too.
    }
  }

 private:
  /// Who is too slow may never read the letter that is being sent: the limit is reached then.
  Coro<> send_letters(http::WebSocket ws) {
    try {
      co_await with(timeout(std::nullopt), [&](Timeout& limit) -> Coro<> {
        limit_ = &limit;
        auto sent = co_await capture(send_all(ws));
        limit_ = nullptr;
        sent.value();
      });
    } catch (const TimeoutError&) {
      // They are told why.
    }
  }
  Coro<> send_all(http::WebSocket ws) {
    while (auto letter = co_await letters_.next()) co_await ws.send_str(*letter);
  }

  Queue<std::string> letters_{256};
  Timeout* limit_ = nullptr;  // while letters are sent
  bool too_slow_ = false;
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
  // Somebody may send without reading: no heartbeat misses them, but a goodbye does.
  auto goodbye = std::min(heartbeat_.duration(), options.get_close_timeout().duration());
  options.heartbeat(heartbeat_).close_timeout(Delay(goodbye)).max_msg_size(64 * 1024);
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
