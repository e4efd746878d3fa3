// SPDX-License-Identifier: BSL-1.0
#include "http/http2_session.hpp"

#include "asyncio/exceptions.hpp"
#include "http/http2_callbacks.hpp"
#include "http/http2_fields.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <new>
#include <utility>

namespace asyncio::http::detail {

namespace {

/// What is read of a body that was sent, until it is moved to the front of its string.
constexpr std::size_t kMostBehind = std::size_t{64} << 10;
/// PING and SETTINGS that wait for us to answer; a peer with more sends them without reading.
constexpr std::size_t kMostAnswers = 200;

void check(int outcome) {
  if (outcome == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  if (outcome != 0) throw RuntimeError(std::string("HTTP/2: ") + nghttp2_strerror(outcome));
}

struct Options {
  explicit Options(const HttpLimits& limits) {
    check(nghttp2_option_new(&option));
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_outbound_ack(option, kMostAnswers);
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
#ifdef ASYNCIO_NGHTTP2_LIMITS_RESETS
    nghttp2_option_set_stream_reset_rate_limit(option, limits.stream_resets(),
                                               (limits.stream_resets() + 9) / 10);
#endif
#ifdef ASYNCIO_NGHTTP2_LIMITS_CONTINUATIONS
    // It counts one again for each read that a frame's head takes: we count, too.
    nghttp2_option_set_max_continuations(option, 10 * Http2Session::kMaxContinuations);
#endif
    (void)limits;
  }
  ~Options() { nghttp2_option_del(option); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  nghttp2_option* option = nullptr;
};

}  // namespace

const char* name_of(Http2Code code) noexcept {
  return nghttp2_http2_strerror(static_cast<std::uint32_t>(code));
}

Http2Session::Http2Session(Http2Role role, const Http2Terms& terms)
    : role_(role),
      terms_(terms),
      idle_frames_left_(static_cast<double>(terms.limits.idle_frames())) {
  Options options(terms.limits);
  const nghttp2_session_callbacks* callbacks = Callbacks::all();
  check(role == Http2Role::server
            ? nghttp2_session_server_new2(&session_, callbacks, this, options.option)
            : nghttp2_session_client_new2(&session_, callbacks, this, options.option));
  // The destructor of what was not made is not called.
  std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)> made(session_,
                                                                        &nghttp2_session_del);
  const auto head = static_cast<std::uint32_t>(
      std::min<std::size_t>(terms.limits.head(), std::numeric_limits<std::uint32_t>::max()));
  std::vector<nghttp2_settings_entry> settings{
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, terms.stream_window},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, head},
  };
  if (role == Http2Role::server) {
    settings.push_back({NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, terms.limits.streams()});
    settings.push_back({NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1});
  } else {
    settings.push_back({NGHTTP2_SETTINGS_ENABLE_PUSH, 0});
  }
  int outcome =
      nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  if (outcome == 0)
    outcome = nghttp2_session_set_local_window_size(
        session_, NGHTTP2_FLAG_NONE, 0, static_cast<std::int32_t>(terms.connection_window));
  check(outcome);
  made.release();
}

Http2Session::~Http2Session() { nghttp2_session_del(session_); }

void Http2Session::receive(std::string_view input, TimePoint now) {
  if (failed_) return;
  now_ = now;
  const auto taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
  if (taken >= 0 && answers_wait()) fail(Http2Code::enhance_your_calm, "answers are not read");
  if (taken >= 0) return;
  const int error = static_cast<int>(taken);
  if (error == NGHTTP2_ERR_NOMEM) throw std::bad_alloc();
  const bool flooded = flooded_ || error == NGHTTP2_ERR_FLOODED;
  fail(flooded ? Http2Code::enhance_your_calm : Http2Code::protocol_error,
       flooded ? "a flood of frames" : nghttp2_strerror(error));
}

/// Of nghttp2's own answers it bounds some; a reset for each request too many is none of those.
bool Http2Session::answers_wait() const noexcept {
  const HttpLimits& limits = terms_.limits;
  return nghttp2_session_get_outbound_queue_size(session_) >
         limits.idle_frames() + std::size_t{4} * limits.streams();
}

void Http2Session::send(std::string& output, std::size_t most) {
  output_ = &output;
  most_ = most;
  while (output.size() < most) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &bytes);
    if (size <= 0) break;
    output.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  output_ = nullptr;
  if (thrown_) std::rethrow_exception(std::exchange(thrown_, nullptr));
}

bool Http2Session::wants_output() const noexcept {
  return nghttp2_session_want_write(session_) != 0;
}

bool Http2Session::is_over() const noexcept {
  return !wants_output() && (failed_ || nghttp2_session_want_read(session_) == 0);
}

void Http2Session::lose(const std::exception_ptr& error) {
  requests_.clear();
  Streams streams = std::exchange(streams_, {});
  for (auto& [id, stream] : streams) {
    fail_input(*stream, error);
    stream->closed_ = true;
    stream->readable.set();
    stream->writable.set();
  }
}

/// The peer is told, and every stream ends; nothing else of what it sends is looked at.
void Http2Session::fail(Http2Code code, const std::string& what) {
  if (std::exchange(failed_, true)) return;
  failure_ = what;
  nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(code));
  lose(std::make_exception_ptr(ProtocolError("HTTP/2: " + what, 0)));
}

Http2Stream* Http2Session::find(std::int32_t id) noexcept {
  auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Http2Stream& Http2Session::adopt(std::int32_t id) {
  auto stream = std::make_shared<Http2Stream>(id);
  return *streams_.emplace(id, std::move(stream)).first->second;
}

std::shared_ptr<Http2Stream> Http2Session::next_request() {
  while (!requests_.empty()) {
    std::shared_ptr<Http2Stream> stream = std::move(requests_.front());
    requests_.pop_front();
    if (!stream->closed()) return stream;
  }
  return nullptr;
}

/// nghttp2 resets a stream by itself if what comes on it is wrong, which is the peer's fault as
/// much as what we find wrong.
std::exception_ptr Http2Session::reason_of(const Http2Stream& stream, Http2Code code) {
  const std::string what = std::string("HTTP/2 stream: ") + name_of(code);
  const bool is_wrong = code == Http2Code::protocol_error ||
                        code == Http2Code::flow_control_error || code == Http2Code::stream_closed ||
                        code == Http2Code::frame_size_error;
  if (is_wrong && !stream.reset_by_peer_)
    return std::make_exception_ptr(ProtocolError(what, stream.received_));
  return std::make_exception_ptr(ConnectionResetError(ECONNRESET, what));
}

void Http2Session::close_stream(std::int32_t id, Http2Code code) {
  auto found = streams_.find(id);
  if (found == streams_.end()) return;
  std::shared_ptr<Http2Stream> stream = std::move(found->second);
  streams_.erase(found);
  stream->closed_ = true;
  stream->code_ = code;
  if (!stream->input_ended_ && !stream->error_) fail_input(*stream, reason_of(*stream, code));
  // Nobody may ever read it: it shall not take from the others.
  if (!stream->incoming_.empty())
    nghttp2_session_consume_connection(session_, stream->incoming_.size());
  stream->readable.set();
  stream->writable.set();
}

std::string Http2Session::read(Http2Stream& stream) {
  std::string part = std::exchange(stream.incoming_, {});
  if (!stream.closed_ && !part.empty()) nghttp2_session_consume(session_, stream.id_, part.size());
  return part;
}

void Http2Session::drop_input(Http2Stream& stream) {
  if (!std::exchange(stream.drops_input_, true) && !stream.closed_)
    nghttp2_session_consume_connection(session_, stream.incoming_.size());
  stream.incoming_.clear();
}

void Http2Session::inform(Http2Stream& stream, const ResponseHead& head) {
  if (stream.closed_) return;
  Http2Fields fields;
  fields.add(":status", std::to_string(head.status.code()));
  fields.add_all(head.headers);
  const auto& nv = fields.view();
  check(nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr, nv.data(),
                               nv.size(), nullptr));
}

void Http2Session::respond(Http2Stream& stream, Status status, const Headers& headers,
                           bool has_body) {
  if (stream.closed_) return;
  Http2Fields fields;
  fields.add(":status", std::to_string(status.code()));
  fields.add_all(headers);
  nghttp2_data_provider provider{{0}, &Callbacks::on_read};
  const auto& nv = fields.view();
  stream.output_ended_ = !has_body;
  check(nghttp2_submit_response(session_, stream.id_, nv.data(), nv.size(),
                                has_body ? &provider : nullptr));
}

bool Http2Session::may_request() const noexcept {
  return !failed_ && !is_ending() && nghttp2_session_check_request_allowed(session_) != 0 &&
         streams_.size() < peer_max_streams();
}

std::shared_ptr<Http2Stream> Http2Session::request(const RequestHead& head, std::string_view scheme,
                                                   bool has_body) {
  if (auto wrong = check_target(head)) throw ValueError("request: " + *wrong);
  if (auto wrong = check_fields(head.headers, true)) throw ValueError("request: " + *wrong);
  Http2Fields fields;
  const bool is_connect = head.method == Method::CONNECT;
  fields.add(":method", head.method.str());
  if (!is_connect) fields.add(":scheme", scheme);
  fields.add(":authority", is_connect ? head.target : head.headers.get("Host", ""));
  if (!is_connect) fields.add(":path", head.target);
  fields.add_all(head.headers);
  nghttp2_data_provider provider{{0}, &Callbacks::on_read};
  const auto& nv = fields.view();
  const std::int32_t id = nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(),
                                                 has_body ? &provider : nullptr, nullptr);
  if (id < 0) check(id);
  Http2Stream& stream = adopt(id);
  stream.is_head_request_ = head.method == Method::HEAD;
  stream.output_ended_ = !has_body;
  return streams_.at(id);
}

void Http2Session::resume(Http2Stream& stream) {
  if (!std::exchange(stream.deferred_, false)) return;
  nghttp2_session_resume_data(session_, stream.id_);
}

void Http2Session::write(Http2Stream& stream, std::string_view data) {
  if (stream.closed_ || data.empty()) return;
  if (stream.outgoing_at_ > kMostBehind) {
    stream.outgoing_.erase(0, stream.outgoing_at_);
    stream.outgoing_at_ = 0;
  }
  stream.outgoing_ += data;
  resume(stream);
}

void Http2Session::write(Http2Stream& stream, std::string&& data) {
  if (stream.closed_ || stream.unsent() > 0) return write(stream, std::string_view(data));
  stream.outgoing_ = std::move(data);
  stream.outgoing_at_ = 0;
  resume(stream);
}

void Http2Session::end(Http2Stream& stream) {
  if (stream.closed_ || std::exchange(stream.output_ended_, true)) return;
  resume(stream);
}

void Http2Session::reset(Http2Stream& stream, Http2Code code) {
  if (stream.closed_) return;
  check(nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_,
                                  static_cast<std::uint32_t>(code)));
}

void Http2Session::ping() { check(nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr)); }

void Http2Session::announce_end() {
  if (failed_ || going_ || std::exchange(announced_, true)) return;
  check(nghttp2_submit_shutdown_notice(session_));
}

void Http2Session::go_away(Http2Code code) {
  if (failed_ || std::exchange(going_, true)) return;
  last_taken_ = nghttp2_session_get_last_proc_stream_id(session_);
  check(nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_taken_,
                              static_cast<std::uint32_t>(code), nullptr, 0));
}

std::uint32_t Http2Session::peer_max_streams() const noexcept {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

}  // namespace asyncio::http::detail
