// SPDX-License-Identifier: BSL-1.0
#include "asyncio/capture.hpp"
#include "asyncio/eventloop.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http/cookies.hpp"
#include "asyncio/web/exceptions.hpp"
#include "asyncio/web/session.hpp"
#include "http/random.hpp"

#include <list>
#include <map>

namespace asyncio::web {

namespace {

const Key<Session> kSession("session");

class MemorySessions final : public SessionStorage {
 public:
  explicit MemorySessions(MemorySessionOptions options) : options_(std::move(options)) {}

  Coro<Session> load(Request& request) override {
    http::MultiDict cookies = request.cookies();
    auto found = index_.find(cookies.get(options_.get_cookie_name(), ""));
    if (found == index_.end()) co_return Session();
    if (found->second->until <= get_running_loop().time()) {
      erase(found);
      co_return Session();
    }
    co_return Session(found->first, found->second->values);
  }

  Coro<> save(Request& request, Response& response, const Session& session) override {
    auto old = index_.find(session.identity());
    // Another request has ended the session while this one was answered: it stays ended.
    bool has_ended = old == index_.end() && !session.is_new() && !session.is_invalid();
    if (has_ended) co_return;
    if (old != index_.end()) erase(old);
    http::Cookie cookie(options_.get_cookie_name(), "");
    cookie.path("/").http_only().same_site(http::SameSite::Lax).secure(request.secure());
    if (session.is_invalid() && session.values().empty()) {
      if (!session.is_new()) response.set_cookie(cookie.max_age(std::chrono::seconds(0)));
      co_return;
    }
    // A session that somebody else may know has another identity than the one that follows it.
    bool renewed = session.is_new() || session.is_invalid();
    std::string identity = renewed ? http::detail::random_name() : session.identity();
    TimePoint until = get_running_loop().time() + options_.get_max_age();
    kept_.push_back({identity, session.values(), until});
    index_.emplace(identity, std::prev(kept_.end()));
    if (kept_.size() > options_.get_max_sessions()) erase(index_.find(kept_.front().identity));
    if (!renewed) co_return;
    http::Cookie fresh(options_.get_cookie_name(), identity);
    fresh.path("/").http_only().same_site(http::SameSite::Lax).secure(request.secure());
    response.set_cookie(fresh);
  }

 private:
  struct Kept {
    std::string identity;
    http::MultiDict values;
    TimePoint until;
  };
  using Index = std::map<std::string, std::list<Kept>::iterator, std::less<>>;

  void erase(Index::iterator at) {
    kept_.erase(at->second);
    index_.erase(at);
  }

  MemorySessionOptions options_;
  std::list<Kept> kept_;  // the oldest change first
  Index index_;
};

/// A handler that has thrown its answer, a redirection say, sets cookies as others do.
void add_to_thrown(const std::exception_ptr& error, const http::Headers& fields) {
  try {
    std::rethrow_exception(error);
  } catch (HTTPException& answer) {
    for (http::HeaderField field : fields) answer.headers().add(field.name, field.value);
  } catch (...) {  // No answer: nobody gets the cookie.
  }
}

}  // namespace

Middleware session_middleware(std::shared_ptr<SessionStorage> storage) {
  return [storage = std::move(storage)](Request& request, const Handler& next) -> Coro<Response> {
    Session loaded = co_await storage->load(request);
    request.set(kSession, std::move(loaded));
    auto outcome = co_await capture(next(request));
    Session& session = request[kSession];
    Response none;
    Response& response = outcome ? outcome.value() : none;
    if (session.is_changed()) co_await storage->save(request, response, session);
    if (!outcome) add_to_thrown(outcome.exception(), none.headers());
    co_return std::move(outcome).value();
  };
}

Session& get_session(Request& request) {
  Session* session = request.find(kSession);
  if (!session)
    throw LookupError(
        "get_session: the request has none: add web::session_middleware(...) to the application");
  return *session;
}

std::shared_ptr<SessionStorage> memory_sessions(MemorySessionOptions options) {
  return std::make_shared<MemorySessions>(std::move(options));
}

}  // namespace asyncio::web
