// SPDX-License-Identifier: BSL-1.0
// What an Http2Session makes of the heads and bodies that come.
#include "http/characters.hpp"
#include "http/fields.hpp"
#include "http/http2_fields.hpp"
#include "http/http2_session.hpp"

#include <algorithm>
#include <charconv>
#include <nghttp2/nghttp2.h>
#include <utility>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kTinyFrame = 16;
/// RFC 9113, 6.5.2: what each field counts beyond its bytes.
constexpr std::size_t kFieldOverhead = 32;
/// A head that is too large is answered; one that does not end at so many times the limit is the
/// end of the connection, as each of its bytes may stand for hundreds of others.
constexpr std::size_t kEndlessHead = 4;

}  // namespace

bool Http2Session::spend_idle_frame() noexcept {
  const auto most = static_cast<double>(terms_.limits.idle_frames());
  const std::chrono::duration<double> since = now_ - counted_at_;
  counted_at_ = now_;
  idle_frames_left_ = std::min(most, idle_frames_left_ + since.count() * most / 10);
  return (idle_frames_left_ -= 1) >= 0;
}

void Http2Session::begin_block(Http2Stream& stream) {
  in_head_ = true;
  stream.in_trailers_ = stream.has_head_;
  stream.head_size_ = stream.field_count_ = 0;
  stream.pseudo_ = {};
}

/// A client may send each cookie by itself: together they are one field, and the limit of the head
/// is theirs.
bool Http2Session::is_counted(const Http2Stream& stream, std::string_view name) const {
  if (name != "cookie" || stream.in_trailers_) return true;
  return role_ != Http2Role::server || !stream.request.headers.contains(name);
}

/// The answer is nghttp2's: 0 goes on. A client that gives a response up does not look at the rest
/// of its block, as it could not if the stream were closed by now: what comes of the others must
/// not depend on how the block was split.
int Http2Session::take_field(Http2Stream& stream, std::string_view name, std::string_view value) {
  const HttpLimits& limits = terms_.limits;
  const bool trailing = stream.in_trailers_;
  stream.head_size_ += name.size() + value.size() + kFieldOverhead;
  if (stream.head_size_ / kEndlessHead > limits.head()) {
    flooded_ = true;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }
  if (stream.refusal_ || stream.error_) return 0;
  const bool is_path = name == ":path";
  if (is_path && value.size() > limits.start_line()) {
    refuse(stream, Status::URI_TOO_LONG,
           "the path is longer than " + std::to_string(limits.start_line()) + " bytes");
  } else if (!is_path && name.size() + value.size() + 2 > limits.field()) {
    refuse(stream, Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
           "a field is longer than " + std::to_string(limits.field()) + " bytes");
  } else if (stream.head_size_ > (trailing ? limits.trailers() : limits.head())) {
    refuse(stream, Status::REQUEST_HEADER_FIELDS_TOO_LARGE, "the fields are too large together");
  } else if (name.starts_with(':')) {
    take_pseudo(stream, name, value);
  } else if (is_counted(stream, name) &&
             ++stream.field_count_ > (trailing ? limits.trailer_fields() : limits.fields())) {
    refuse(stream, Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
           "more than " + std::to_string(stream.field_count_ - 1) + " fields");
  } else {
    take_regular(stream, name, value);
  }
  if (role_ == Http2Role::server || !stream.error_) return 0;
  in_head_ = false;
  return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

void Http2Session::take_regular(Http2Stream& stream, std::string_view name,
                                std::string_view value) {
  Headers& own = role_ == Http2Role::server ? stream.request.headers : stream.response.headers;
  Headers& headers = stream.in_trailers_ ? stream.trailers : own;
  // RFC 9113, 8.2.3: clients send each cookie by itself, for the sake of compression.
  std::optional<std::string_view> before;
  if (name == "cookie") before = headers.get(name);
  if (before)
    headers.set(name, std::string(*before).append("; ").append(value));
  else
    headers.add(name, value);
}

/// nghttp2 has checked that each is one that there is, once, and before all other fields.
void Http2Session::take_pseudo(Http2Stream& stream, std::string_view name, std::string_view value) {
  Http2Stream::Pseudo& pseudo = stream.pseudo_;
  if (name == ":method") pseudo.method = value;
  if (name == ":scheme") pseudo.scheme = value;
  if (name == ":authority") pseudo.authority = value;
  if (name == ":path") pseudo.path = value;
  if (name == ":status") std::from_chars(value.data(), value.data() + value.size(), pseudo.status);
}

void Http2Session::end_block(Http2Stream& stream, bool ends_stream) {
  in_head_ = false;
  if (stream.in_trailers_)
    end_trailers(stream);
  else if (role_ == Http2Role::server)
    end_request_head(stream, ends_stream);
  else
    end_response_head(stream, ends_stream);
  if (ends_stream) end_input(stream);
}

/// What comes while the news of the end is on its way is not taken: the peer is told so, and may
/// ask again elsewhere.
void Http2Session::end_request_head(Http2Stream& stream, bool ends_stream) {
  if (!stream.refusal_) complete_request(stream, ends_stream);
  stream.has_head_ = true;
  const bool is_late = going_ && stream.id_ > last_taken_;
  if (!stream.error_ && !is_late) requests_.push_back(streams_.at(stream.id_));
}

void Http2Session::complete_request(Http2Stream& stream, bool ends_stream) {
  RequestHead& head = stream.request;
  Http2Stream::Pseudo pseudo = std::exchange(stream.pseudo_, {});
  head.version = Version::http_2;
  if (pseudo.method.size() > Method::max_size)
    return refuse(stream, Status::NOT_IMPLEMENTED, "a method that is too long");
  if (!is_token(pseudo.method)) return refuse_malformed(stream, "a method that is no token");
  head.method = Method(pseudo.method);
  const bool is_connect = head.method == Method::CONNECT;
  if (!is_connect && pseudo.scheme != "http" && pseudo.scheme != "https")
    return refuse_malformed(stream, "a scheme that is neither http nor https");
  head.target = is_connect ? pseudo.authority : std::move(pseudo.path);
  if (!take_authority(head.headers, pseudo.authority))
    return refuse_malformed(stream, "a host that is not the authority");
  std::optional<std::string> wrong = check_target(head);
  if (!wrong) wrong = check_fields(head.headers, true);
  if (wrong) return refuse_malformed(stream, *wrong);
  head.body = framing_of(head.headers, ends_stream);
  if (is_connect && head.body.kind() == BodyFraming::Kind::length)
    return refuse_malformed(stream, "a CONNECT with a body");
  if (head.body.length() > terms_.limits.body())
    refuse(stream, Status::CONTENT_TOO_LARGE,
           "body: is longer than " + std::to_string(terms_.limits.body()) + " bytes");
}

/// Host is what handlers know. Who sends both, and not the same, means two readers to disagree.
bool Http2Session::take_authority(Headers& headers, std::string_view authority) {
  std::optional<std::string_view> host = headers.get("host");
  if (authority.empty()) return true;
  if (!host) headers.add("Host", authority);
  return !host || equal_without_case(*host, authority);
}

void Http2Session::end_response_head(Http2Stream& stream, bool ends_stream) {
  ResponseHead& head = stream.response;
  const int status = stream.pseudo_.status;
  if (stream.error_) return;
  if (status < 100) return refuse_malformed(stream, "a status that there is none");
  if (status < 200) {
    head.headers.clear();
    if (++stream.informational_ > terms_.limits.informational())
      refuse_malformed(stream, "more than " + std::to_string(terms_.limits.informational()) +
                                   " heads of status 1xx");
    return;
  }
  head.status = Status(status);
  head.reason.clear();
  head.version = Version::http_2;
  if (auto wrong = check_fields(head.headers, false)) return refuse_malformed(stream, *wrong);
  const bool bodiless = stream.is_head_request_ || status == 204 || status == 304;
  head.body = bodiless ? BodyFraming() : framing_of(head.headers, ends_stream);
  if (head.body.length() > terms_.limits.body())
    return refuse(stream, Status::CONTENT_TOO_LARGE,
                  "body: is longer than " + std::to_string(terms_.limits.body()) + " bytes");
  stream.has_head_ = true;
  stream.readable.set();
}

void Http2Session::end_trailers(Http2Stream& stream) {
  for (HeaderField field : stream.trailers)
    if (!allowed_in_trailers(field.name))
      return refuse_malformed(stream, "trailers: a field that belongs into the head");
}

void Http2Session::take_data(Http2Stream& stream, std::string_view data) {
  stream.received_ += data.size();
  if (data.size() < kTinyFrame && ++stream.tiny_frames_ > terms_.limits.tiny_chunks())
    refuse_malformed(
        stream, "body: more than " + std::to_string(terms_.limits.tiny_chunks()) + " tiny frames");
  if (stream.received_ > terms_.limits.body())
    refuse(stream, Status::CONTENT_TOO_LARGE,
           "body: is longer than " + std::to_string(terms_.limits.body()) + " bytes");
  if (stream.drops_input_ || stream.error_ || stream.refusal_) {
    nghttp2_session_consume_connection(session_, data.size());
    return;
  }
  stream.incoming_ += data;
  stream.readable.set();
}

void Http2Session::end_input(Http2Stream& stream) noexcept {
  if (!stream.error_) stream.input_ended_ = true;
  stream.readable.set();
}

void Http2Session::fail_input(Http2Stream& stream, const std::exception_ptr& error) noexcept {
  if (stream.input_ended_ || stream.error_) return;
  stream.error_ = error;
  stream.readable.set();
}

/// A request is answered, if it can still be; a response is given up.
void Http2Session::refuse(Http2Stream& stream, Status status, const std::string& what) {
  const bool answered = role_ == Http2Role::server;
  const std::string text = (answered ? "request: " : "response: ") + what;
  BadRequest refusal(status, text, stream.received_);
  if (answered && !stream.has_head_) {
    stream.request.headers.clear();
    stream.refusal_ = refusal;
    return;
  }
  if (answered) return fail_input(stream, std::make_exception_ptr(refusal));
  fail_input(stream, std::make_exception_ptr(ProtocolError(text, stream.received_)));
  reset(stream, Http2Code::protocol_error);
}

void Http2Session::refuse_malformed(Http2Stream& stream, const std::string& what) {
  refuse(stream, Status::BAD_REQUEST, what);
}

}  // namespace asyncio::http::detail
