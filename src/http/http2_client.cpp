// SPDX-License-Identifier: BSL-1.0
#include "http/http2_client.hpp"

#include "asyncio/capture.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/task.hpp"
#include "asyncio/timeout.hpp"
#include "http/client_request.hpp"
#include "http/http2_presence.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace asyncio::http::detail {

namespace {

using namespace std::chrono_literals;

/// Each response may hold back so much, whether the others are read or not.
constexpr std::uint32_t kStreamWindow = 256u << 10;
constexpr std::uint32_t kMostStreams = 100;
/// A server that takes nothing of what is written for so long is gone.
constexpr auto kProgressTimeout = 30s;
/// After so much silence it is asked whether it is there, and has as long to answer.
constexpr auto kSilence = 10s;
/// A request without an answer is a reason to doubt the connection after so much silence.
constexpr auto kDoubt = 5s;

Http2Terms terms_of(const HttpLimits& limits) {
  Http2Terms terms;
  terms.limits = limits;
  terms.stream_window = kStreamWindow;
  terms.connection_window = kStreamWindow * kMostStreams;
  return terms;
}

/// Ends by itself, and says to the streams why; nobody else wants to know.
Coro<> run_link(std::shared_ptr<Http2Connection> link, std::function<void()> received) {
  std::exception_ptr cancelled;
  try {
    co_await link->run(received);
  } catch (const CancelledError&) {
    cancelled = std::current_exception();
  } catch (const std::bad_alloc&) {  // nobody has told the streams
    link->session().lose(std::current_exception());
  } catch (const std::exception&) {
    // The streams know.
  }
  link->writer().close();
  received();
  if (cancelled) std::rethrow_exception(cancelled);
}

}  // namespace

bool has_http2() noexcept { return true; }

std::shared_ptr<SharedConnection> make_http2(const std::shared_ptr<Connector>& connector,
                                             ConnectionKey key, Streams streams,
                                             const HttpLimits& limits) {
  auto client =
      std::make_shared<Http2Client>(connector, std::move(key), std::move(streams), limits);
  client->start();
  return client;
}

Http2Client::Http2Client(const std::shared_ptr<Connector>& connector, ConnectionKey to,
                         Streams streams, const HttpLimits& limits)
    : SharedConnection(std::move(to)),
      connector_(connector),
      link_(std::make_shared<Http2Connection>(std::move(streams.first), std::move(streams.second),
                                              Http2Role::client, terms_of(limits),
                                              kProgressTimeout)),
      loop_(get_running_loop()),
      heard_at_(loop_.time()) {}

/// The loop may be closed, and then nothing is left to be done.
Http2Client::~Http2Client() {
  if (watching_) watching_->cancel();
  try {
    session().go_away();
    link_->flush();
    link_->writer().close();
  } catch (...) {  // No memory to say goodbye, or no loop.
    link_->writer().abort();
  }
}

void Http2Client::start() {
  link_->when_freed([self = weak_from_this()] {
    if (auto client = self.lock()) client->grant();
  });
  create_task(run_link(link_, [self = weak_from_this()] {
    if (auto client = self.lock()) client->received();
  }));
}

bool Http2Client::is_stale() const noexcept {
  return retired_ || link_->session().is_ending() || link_->session().is_over() ||
         link_->writer().is_closing();
}

bool Http2Client::has_room() noexcept {
  const std::size_t most = std::min(session().peer_max_streams(), kMostStreams);
  return session().may_request() && session().active() + promised_ < most;
}

Coro<std::shared_ptr<ClientChannel>> Http2Client::open() {
  auto user = std::make_unique<User>(shared_from_this());
  if (is_stale()) co_return nullptr;
  if (waiters_.empty() && has_room()) {
    ++promised_;
    user->has_room = true;
    co_return std::make_shared<Http2Channel>(std::move(user));
  }
  Future<bool> granted(loop_);
  waiters_.push_back(granted);
  auto outcome = co_await capture(granted);
  std::erase(waiters_, granted);
  // Ours even if we were cancelled meanwhile; it goes back then.
  user->has_room = granted.done() && !granted.cancelled() && granted.result();
  outcome.value();
  if (!user->has_room) co_return nullptr;
  co_return std::make_shared<Http2Channel>(std::move(user));
}

/// In their order, as far as there is room; no one if there will be none.
void Http2Client::grant() {
  const bool ends = is_stale();
  while (!waiters_.empty() && (ends || has_room())) {
    Future<bool> granted = waiters_.front();
    waiters_.pop_front();
    if (granted.done()) continue;
    if (!ends) ++promised_;
    granted.set_result(!ends);
  }
}

void Http2Client::leave(bool had_room) noexcept {
  if (had_room) --promised_;
  --users_;
  try {
    if (users_ > 0)
      grant();
    else
      rest();
  } catch (...) {  // No memory: who waits learns it from the end of the connection.
    link_->writer().abort();
  }
}

/// Until somebody wants it again.
void Http2Client::rest() {
  if (watching_) std::exchange(watching_, std::nullopt)->cancel();
  auto connector = connector_.lock();
  if (!connector) return;
  connector->retire(*this);
  if (is_stale())
    slot.reset();
  else
    connector->keep(shared_from_this());
}

void Http2Client::retire() {
  retired_ = true;
  if (auto connector = connector_.lock()) connector->retire(*this);
  grant();
}

void Http2Client::give_up(TimePoint sent_at) noexcept {
  if (heard_at_ <= sent_at && loop_.time() - sent_at >= kDoubt) retired_ = true;
}

/// Something has come, or the end.
void Http2Client::received() {
  heard_at_ = loop_.time();
  grant();
  if (users_ == 0 && is_stale()) rest();
}

/// Whether the server is there, as long as somebody waits for it.
void Http2Client::watch() {
  if (watching_ || users_ == 0) return;
  watching_ = loop_.call_later(kSilence, [self = weak_from_this()] {
    auto client = self.lock();
    if (!client) return;
    client->watching_.reset();
    client->check();
  });
}

void Http2Client::check() {
  const bool is_silent = loop_.time() - heard_at_ >= kSilence;
  if (is_silent && asked_at_ > heard_at_) return link_->writer().abort();
  if (is_silent) {
    asked_at_ = loop_.time();
    session().ping();
    link_->flush_soon();
  }
  watch();
}

void Http2Channel::send(const ClientRequest& request) {
  RequestHead head = request.head;
  const bool has_length = head.body.kind() == BodyFraming::Kind::length;
  if (has_length && !head.headers.contains("Content-Length"))
    head.headers.add("Content-Length", std::to_string(head.body.length()));
  const bool has_body = request.source || !request.body.empty();
  Http2Session& session = client().session();
  was_used_ = std::exchange(client().was_used, true);
  stream_ = session.request(head, client().key.secure ? "https" : "http", has_body);
  user_->use_room();
  sent_at_ = get_running_loop().time();
  if (!request.body.empty()) {
    session.write(*stream_, request.body);
    session.end(*stream_);
  }
  client().link().flush_soon();
  client().watch();
}

std::shared_ptr<Http2Connection> Http2Channel::link() const {
  if (!user_) throw ConnectionResetError(ECONNRESET, "the exchange has ended");
  return client().shared_link();
}

Coro<> Http2Channel::send_piece(std::string piece) {
  auto to = link();  // others may abort meanwhile
  co_await to->write(stream_, piece);
}

Coro<> Http2Channel::send_end() {
  auto to = link();
  auto stream = stream_;
  to->session().end(*stream);
  to->flush_soon();
  co_await to->wait_sent(stream);
}

bool Http2Channel::sending() const noexcept {
  return !stream_->closed() && !stream_->output_sent();
}

Parsed Http2Channel::next_buffered() {
  Parsed parsed{};
  parsed.event = Event::need_more;
  if (!has_told_head_ && stream_->has_head()) {
    has_told_head_ = true;
    parsed.event = Event::head;
    stream_->response.reason = stream_->response.status.phrase();
  } else if (has_told_head_ && stream_->unread() > 0) {
    piece_ = client().session().read(*stream_);
    client().link().flush_soon();
    parsed.event = Event::body;
    parsed.body = piece_;
  } else if (stream_->error()) {
    std::rethrow_exception(stream_->error());
  } else if (has_told_head_ && stream_->input_ended()) {
    parsed.event = Event::end;
  }
  return parsed;
}

Coro<std::size_t> Http2Channel::more(OptionalDelay limit) {
  std::size_t got = co_await wait_for(readable(), limit);
  co_return got;
}

Coro<std::size_t> Http2Channel::readable() {
  auto stream = stream_;
  const bool is_head = !has_told_head_;
  while (!stream->error() && !(is_head ? stream->has_head() : stream->unread() > 0) &&
         !(stream->input_ended() && stream->has_head())) {
    stream->readable.clear();
    co_await stream->readable.wait();
  }
  co_return 1;
}

bool Http2Channel::is_refused() const noexcept {
  return stream_ && stream_->closed() && stream_->code() == Http2Code::refused_stream &&
         !stream_->has_head();
}

void Http2Channel::break_off() noexcept {
  if (!user_ || !stream_ || stream_->closed()) return;
  try {
    client().session().reset(*stream_, Http2Code::cancel);
    client().link().flush_soon();
  } catch (...) {  // No memory to tell the server: the connection cannot go on.
    client().link().writer().abort();
  }
}

void Http2Channel::release(bool reusable) {
  if (!stream_->closed()) break_off();
  if (!reusable) client().retire();
  user_.reset();
}

void Http2Channel::abort() noexcept {
  if (!user_) return;
  break_off();
  if (stream_) client().give_up(sent_at_);
  user_.reset();
}

}  // namespace asyncio::http::detail
