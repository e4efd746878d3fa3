// SPDX-License-Identifier: BSL-1.0
#include "http/http2_server.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/task_group.hpp"
#include "asyncio/timeout.hpp"
#include "asyncio/with.hpp"
#include "http/deadline.hpp"
#include "http/http2_connection.hpp"
#include "http/http2_exchange.hpp"

#include <chrono>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// How long a client may take to answer the ping that goes with the news of the end.
constexpr auto kLastCall = std::chrono::seconds(1);

Http2Terms terms_of(const ServerSettings& settings) {
  Http2Terms terms;
  terms.limits = settings.limits;
  return terms;
}

/// One task reads, each request has one more. A handler whose client has given up goes on until it
/// reads or writes, as over HTTP/1; so that resets do not buy work without end (CVE-2023-44487),
/// a client that has more of them running than streams may be open is refused new ones.
///
/// The deadline is of the next request while there is none, and of a head that has begun.
///
/// The end comes in two steps, so that no request is lost that is on its way: first the client is
/// told that there will be one; when it has heard that, or after a second, which request was the
/// last (RFC 9113, 6.8).
class Http2Server final : public ServedConnection, private Deadline::Owner {
 public:
  Http2Server(StreamReader reader, StreamWriter writer, const ServerSettings& settings,
              const WebHandler& handler)
      : settings_(settings),
        handler_(handler),
        connection_(std::make_shared<Http2Connection>(std::move(reader), std::move(writer),
                                                      Http2Role::server, terms_of(settings),
                                                      settings.progress_timeout)),
        deadline_(get_running_loop(), *this) {}
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;
  /// It may be told to stop until the very end, also while it turns a client away.
  ~Http2Server() override {
    if (last_call_) last_call_->cancel();
  }

  Coro<> serve() override;
  Coro<> turn_away() override;
  void stop() override;

 private:
  Http2Session& session() noexcept { return connection_->session(); }
  Coro<> serve_in(TaskGroup& group);
  Coro<> serve_one(std::shared_ptr<Http2Exchange> exchange);
  Coro<> close(bool at_once);
  void received(TaskGroup& group);
  void watch();
  void expired() override;
  void end();

  enum class Watched : unsigned char { nothing, client, head };

  const ServerSettings& settings_;
  const WebHandler& handler_;
  const std::shared_ptr<Http2Connection> connection_;
  Deadline deadline_;
  std::optional<TimerHandle> last_call_;
  Watched watched_ = Watched::nothing;
  bool stopping_ = false;
  bool has_received_ = false;
  std::size_t running_ = 0;  // handlers
  std::size_t requests_ = 0;
};

Coro<> Http2Server::serve() {
  if (settings_.is_stopping) stop();
  watch();
  auto served = [&](TaskGroup& group) -> Coro<> { co_await serve_in(group); };
  Result<void> outcome = co_await capture(with(TaskGroup(), served));
  deadline_.clear();
  if (last_call_) last_call_->cancel();
  co_await close(outcome.cancelled());
  try {
    outcome.value();
  } catch (const std::exception&) {  // what a client does wrong is no error here
  }
}

Coro<> Http2Server::serve_in(TaskGroup& group) {
  co_await connection_->run([this, &group] { received(group); });
}

/// Instead of requests: none was taken, so that the client may ask elsewhere.
Coro<> Http2Server::turn_away() {
  session().go_away();
  deadline_.set(settings_.head_timeout);
  Result<void> outcome = co_await capture(connection_->run([] {}));
  deadline_.clear();
  co_await close(outcome.cancelled());
  if (outcome.cancelled()) outcome.rethrow();
}

/// How the client has left does not matter.
Coro<> Http2Server::close(bool at_once) {
  const StreamWriter& writer = connection_->writer();
  connection_->flush();
  writer.close();
  Delay patience = settings_.progress_timeout;
  if (at_once) patience = std::chrono::milliseconds(50);
  Result<void> closed = co_await capture(wait_for(writer.wait_closed(), patience));
  if (!closed) writer.abort();
  if (closed.cancelled()) closed.rethrow();
}

void Http2Server::received(TaskGroup& group) {
  has_received_ = true;
  while (std::shared_ptr<Http2Stream> stream = session().next_request()) {
    if (running_ >= std::size_t{2} * settings_.limits.streams()) {
      session().reset(*stream, Http2Code::refused_stream);
      continue;
    }
    ++running_;
    ++requests_;
    auto exchange =
        std::make_shared<Http2Exchange>(connection_, std::move(stream), settings_, handler_);
    group.create_task(serve_one(std::move(exchange)));
    const bool was_last =
        settings_.keepalive_requests > 0 && requests_ >= settings_.keepalive_requests;
    if (was_last) session().go_away();
  }
  if (stopping_ && session().pongs() > 0) end();
  watch();
}

Coro<> Http2Server::serve_one(std::shared_ptr<Http2Exchange> exchange) {
  Result<void> outcome = co_await capture(exchange->serve());
  --running_;
  watch();
  outcome.value();
}

void Http2Server::watch() {
  const bool in_head = session().in_head() || (has_received_ && !session().is_open());
  const Watched now = in_head ? Watched::head : running_ > 0 ? Watched::nothing : Watched::client;
  if (std::exchange(watched_, now) == now) return;
  if (now == Watched::nothing) return deadline_.clear();
  deadline_.set(now == Watched::head ? settings_.head_timeout : settings_.keepalive_timeout);
}

void Http2Server::expired() {
  if (watched_ == Watched::client) return end();
  connection_->reader().set_exception(TimeoutError("HTTP/2 head"));
}

void Http2Server::stop() {
  if (std::exchange(stopping_, true)) return;
  session().announce_end();
  last_call_ = get_running_loop().call_later(kLastCall, [this] { end(); });
  connection_->flush_soon();
}

void Http2Server::end() {
  if (last_call_) last_call_->cancel();
  session().go_away();
  connection_->flush_soon();
}

}  // namespace

std::shared_ptr<ServedConnection> make_http2_server(StreamReader reader, StreamWriter writer,
                                                    const ServerSettings& settings,
                                                    const WebHandler& handler) {
  return std::make_shared<Http2Server>(std::move(reader), std::move(writer), settings, handler);
}

}  // namespace asyncio::http::detail
