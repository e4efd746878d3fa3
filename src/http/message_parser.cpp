// SPDX-License-Identifier: BSL-1.0
#include "http/message_parser.hpp"

#include "http/characters.hpp"
#include "http/fields.hpp"
#include "http/headers_builder.hpp"
#include "http/incomplete_message.hpp"

#include <algorithm>
#include <limits>
#include <new>

namespace asyncio::http::detail {

namespace {

constexpr std::size_t kShortInput = 1024;
constexpr std::size_t kUsualHead = 512;
constexpr std::size_t kSizeLine = 18;  // 16 digits and the end of the line
constexpr std::uint64_t kTinyChunk = 16;

bool is_known(Version version) noexcept {
  return version == Version::http_1_0 || version == Version::http_1_1;
}

}  // namespace

/// What llhttp calls. They only note where things are: decisions, and exceptions, come after it has
/// returned. A span may come in parts, which lie one behind the other.
struct MessageParser::Callbacks {
  static MessageParser& self(llhttp_t* state) { return *static_cast<MessageParser*>(state->data); }

  static void extend(const char* at, std::size_t size, const char* block, bool& open,
                     std::size_t& begin, std::size_t& end) {
    const auto offset = static_cast<std::size_t>(at - block);
    if (!open) begin = offset;
    open = true;
    end = offset + size;
  }

  static int on_start(llhttp_t* state, const char* at, std::size_t size) {
    MessageParser& p = self(state);
    extend(at, size, p.block_, p.start_open_, p.start_at_, p.start_end_);
    return 0;
  }
  static int on_name(llhttp_t* state, const char* at, std::size_t size) {
    MessageParser& p = self(state);
    extend(at, size, p.block_, p.name_open_, p.name_at_, p.name_end_);
    return 0;
  }
  static int on_value(llhttp_t* state, const char* at, std::size_t size) {
    MessageParser& p = self(state);
    extend(at, size, p.block_, p.value_open_, p.value_at_, p.value_end_);
    return 0;
  }

  static int on_value_complete(llhttp_t* state) {
    MessageParser& p = self(state);
    if (p.filling_->size() >= p.most_fields_) {
      p.fault_ = Fault::too_many_fields;
      return HPE_USER;
    }
    if (p.name_end_ - p.name_at_ > std::numeric_limits<std::uint16_t>::max()) {
      p.fault_ = Fault::long_name;
      return HPE_USER;
    }
    std::size_t begin = p.name_end_, end = p.name_end_;
    if (p.value_open_) begin = p.value_at_, end = p.value_end_;
    while (begin < end && is_blank(p.block_[end - 1])) --end;
    while (begin < end && is_blank(p.block_[begin])) ++begin;
    p.name_open_ = p.value_open_ = false;
    try {
      HeadersBuilder::add(*p.filling_, p.name_at_, p.name_end_ - p.name_at_, begin, end - begin);
    } catch (const std::bad_alloc&) {  // llhttp is C: nothing may be thrown through it
      p.fault_ = Fault::no_memory;
      return HPE_USER;
    }
    return 0;
  }

  static int on_headers_complete(llhttp_t* state) {
    self(state).paused_ = true;
    return HPE_PAUSED;
  }
  static int on_chunk_header(llhttp_t* state) {
    self(state).chunk_begun_ = true;
    return 0;
  }
  static int on_message_complete(llhttp_t* state) {
    self(state).paused_ = true;
    return HPE_PAUSED;
  }

  static const llhttp_settings_t* settings() {
    static const llhttp_settings_t shared = [] {
      llhttp_settings_t made;
      llhttp_settings_init(&made);
      made.on_url = on_start;
      made.on_status = on_start;
      made.on_header_field = on_name;
      made.on_header_value = on_value;
      made.on_header_value_complete = on_value_complete;
      made.on_headers_complete = on_headers_complete;
      made.on_chunk_header = on_chunk_header;
      made.on_message_complete = on_message_complete;
      return made;
    }();
    return &shared;
  }
};

MessageParser::MessageParser(llhttp_type_t type, const HttpLimits& limits) : limits_(limits) {
  llhttp_init(&llhttp_, type, Callbacks::settings());
  llhttp_.data = this;
}

/// The rest is set where a message begins.
void MessageParser::restart(const HttpLimits& limits) noexcept {
  limits_ = limits;
  phase_ = Phase::between;
  fault_ = Fault::none;
  headers_->clear();
  trailers_.clear();
}

std::size_t MessageParser::held_bytes() const noexcept {
  return HeadersBuilder::held_bytes(*headers_) + HeadersBuilder::held_bytes(trailers_);
}

Parsed MessageParser::parse(std::string_view input) {
  try {
    return parse_on(input);
  } catch (...) {
    phase_ = Phase::failed;
    throw;
  }
}

Parsed MessageParser::parse_on(std::string_view input) {
  std::size_t taken = 0;
  for (;;) {
    const std::string_view rest = input.substr(taken);
    if (phase_ == Phase::end) {
      leave_message();
      return {Event::end, taken, {}};
    }
    if (rest.empty()) return {Event::need_more, taken, {}};
    if (phase_ == Phase::counted || phase_ == Phase::chunk_data)
      return take_body(rest, taken, left_);
    if (phase_ == Phase::until_close) {
      allow_bytes(1);
      return take_body(rest, taken, limits_.body() - body_bytes_);
    }
    const bool in_head = phase_ == Phase::between || phase_ == Phase::head;
    taken += step(rest);
    if (in_head && phase_ != Phase::head) return {Event::head, taken, {}};
  }
}

/// Takes some of what is not body; there is input.
std::size_t MessageParser::step(std::string_view input) {
  std::size_t taken = 0;
  switch (phase_) {
    case Phase::between:
      begin_message();
      [[fallthrough]];
    case Phase::head:
      taken = feed_lines(input, *headers_);
      if (!paused_) return taken;
      check_first_field();
      enter_body(complete_head());
      return taken;
    case Phase::chunk_size:
      return feed_chunk_size(input);
    case Phase::chunk_end:
      return feed_chunk_end(input);
    case Phase::trailers:
      taken = feed_lines(input, trailers_);
      if (paused_) complete_trailers();
      return taken;
    case Phase::closed:
      refuse(Status::BAD_REQUEST, "bytes after the last message of the connection", 0);
    case Phase::switched:
      refuse(Status::BAD_REQUEST, "the connection goes on in another protocol", 0);
    default:
      refuse(Status::BAD_REQUEST, "an earlier message of the connection was refused", 0);
  }
}

void MessageParser::begin_message() {
  llhttp_reset(&llhttp_);
  headers_->clear();
  trailers_.clear();
  position_ = body_bytes_ = left_ = 0;
  chunk_extra_ = tiny_chunks_ = 0;
  name_open_ = value_open_ = start_open_ = paused_ = false;
  start_at_ = start_end_ = 0;
  lines_.begin(true, limits_.start_line(), limits_.field(), limits_.head());
  most_fields_ = limits_.fields();
  begin_head();
  phase_ = Phase::head;
}

/// Gives llhttp the lines of a head or of trailers, from the buffer in which they stay. Of a short
/// input, what is behind the last line is copied and thrown away: to look for it first costs more.
/// Of a long one it takes so much that a usual head is in it.
std::size_t MessageParser::feed_lines(std::string_view input, Headers& into) {
  if (input.size() > kShortInput) input = input.substr(0, kUsualHead);
  const bool is_short = lines_.allows(input.size());
  LineScanner::Piece piece{input.size(), LineScanner::Excess::none};
  if (!is_short) piece = lines_.take(input);
  std::string& bytes = HeadersBuilder::bytes(into);
  const std::size_t begin = bytes.size();
  bytes.append(input.data(), piece.size);
  block_ = bytes.data();
  filling_ = &into;
  const std::size_t taken = feed(block_ + begin, piece.size);
  if (paused_) {
    bytes.resize(begin + taken);
    check_last_line(bytes);
  } else if (is_short) {
    for (std::size_t seen = 0; seen < taken;) seen += lines_.take(input.substr(seen)).size;
  } else if (piece.excess != LineScanner::Excess::none) {
    refuse_limit(piece.excess);
  }
  return taken;
}

void MessageParser::check_last_line(std::string_view block) {
  if (!block.ends_with("\r\n\r\n") && block != "\r\n")
    refuse(Status::BAD_REQUEST, "a line that does not end in CRLF", position_);
}

/// llhttp takes a bare CR after a status line for the end of it.
void MessageParser::check_first_field() {
  if (headers_->empty()) return;
  const std::string_view head(HeadersBuilder::bytes(*headers_));
  if (head[static_cast<std::size_t>((*headers_)[0].name.data() - head.data()) - 1] != '\n')
    refuse_head(Status::BAD_REQUEST, "start line: does not end in CRLF");
}

void MessageParser::enter_body(BodyFraming framing) {
  switch (framing.kind()) {
    case BodyFraming::Kind::none:
      phase_ = Phase::end;
      break;
    case BodyFraming::Kind::length:
      left_ = framing.length();
      allow_bytes(left_);
      phase_ = left_ == 0 ? Phase::end : Phase::counted;
      break;
    case BodyFraming::Kind::until_close:
      phase_ = Phase::until_close;
      break;
    case BodyFraming::Kind::chunked:
      llhttp_resume(&llhttp_);
      paused_ = false;
      chunk_line_ = 0;
      phase_ = Phase::chunk_size;
  }
}

void MessageParser::leave_message() { phase_ = phase_after(); }

void MessageParser::allow_bytes(std::uint64_t more) {
  if (more > limits_.body() - body_bytes_)
    refuse(Status::CONTENT_TOO_LARGE,
           "body: is longer than " + std::to_string(limits_.body()) + " bytes", position_);
}

Parsed MessageParser::take_body(std::string_view input, std::size_t before, std::uint64_t most) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, input.size()));
  if (phase_ == Phase::chunk_data)
    feed(input.data(), size);
  else
    position_ += size;
  body_bytes_ += size;
  if (phase_ != Phase::until_close && (left_ -= size) == 0) {
    crlf_left_ = 2;
    phase_ = phase_ == Phase::chunk_data ? Phase::chunk_end : Phase::end;
  }
  return {Event::body, before + size, input.substr(0, size)};
}

std::size_t MessageParser::feed_chunk_size(std::string_view input) {
  // What lines have beyond the size of kSizeLine is counted together.
  const std::size_t extra_before = chunk_line_ > kSizeLine ? chunk_line_ - kSizeLine : 0;
  const std::size_t extra_left = limits_.chunk_extensions() - chunk_extra_;
  const std::size_t room = (chunk_line_ < kSizeLine ? kSizeLine - chunk_line_ : 0) +
                           std::min<std::size_t>(extra_left, 0xffff'ffff);
  if (room == 0)
    refuse(Status::BAD_REQUEST,
           "chunk size: more than " + std::to_string(limits_.chunk_extensions()) +
               " bytes of extensions",
           position_);
  std::string_view line = input.substr(0, room);
  if (std::size_t end = line.find('\n'); end != std::string_view::npos)
    line = line.substr(0, end + 1);
  chunk_line_ += line.size();
  const std::size_t extra = chunk_line_ > kSizeLine ? chunk_line_ - kSizeLine : 0;
  chunk_extra_ += extra - extra_before;
  chunk_begun_ = false;
  feed(line.data(), line.size());
  if (chunk_begun_) enter_chunk();
  return line.size();
}

void MessageParser::enter_chunk() {
  chunk_line_ = 0;
  left_ = llhttp_.content_length;
  if (left_ == 0) {
    lines_.begin(false, 0, limits_.field(), limits_.trailers());
    most_fields_ = limits_.trailer_fields();
    phase_ = Phase::trailers;
    return;
  }
  allow_bytes(left_);
  if (left_ < kTinyChunk && ++tiny_chunks_ > limits_.tiny_chunks())
    refuse(Status::BAD_REQUEST,
           "chunk size: more than " + std::to_string(limits_.tiny_chunks()) + " tiny chunks",
           position_);
  phase_ = Phase::chunk_data;
}

std::size_t MessageParser::feed_chunk_end(std::string_view input) {
  const std::size_t size = std::min<std::size_t>(crlf_left_, input.size());
  feed(input.data(), size);
  crlf_left_ = static_cast<std::uint8_t>(crlf_left_ - size);
  if (crlf_left_ == 0) phase_ = Phase::chunk_size;
  return size;
}

void MessageParser::complete_trailers() {
  for (HeaderField field : trailers_)
    if (!allowed_in_trailers(field.name))
      refuse(Status::BAD_REQUEST, "trailers: a field that belongs into the head", position_);
  phase_ = Phase::end;
}

/// Has llhttp read some bytes.
///
/// Returns  how many it took: all, or those up to where it paused.
std::size_t MessageParser::feed(const char* data, std::size_t size) {
  const llhttp_errno_t error = llhttp_execute(&llhttp_, data, size);
  if (error == HPE_OK) {
    position_ += size;
    return size;
  }
  const auto taken = static_cast<std::size_t>(llhttp_get_error_pos(&llhttp_) - data);
  if (error != HPE_PAUSED) refuse_fault(taken);
  position_ += taken;
  return taken;
}

void MessageParser::refuse(Status status, const std::string& what, std::uint64_t position) {
  const std::string message =
      std::string(kind()) + ": " + what + " (byte " + std::to_string(position) + ")";
  if (is_request()) throw BadRequest(status, message, position);
  throw ProtocolError(message, position);
}

void MessageParser::refuse_fault(std::size_t offset) {
  const std::uint64_t position = position_ + offset;
  const llhttp_errno_t error = llhttp_get_errno(&llhttp_);
  if (fault_ == Fault::no_memory) throw std::bad_alloc();
  if (fault_ == Fault::long_name)
    refuse(Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
           place(position) + "the name is longer than 65535 bytes", position);
  if (fault_ == Fault::too_many_fields)
    refuse(Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
           place(position) + "more than " + std::to_string(filling_->size()) + " fields", position);
  const Version found(llhttp_.http_major, llhttp_.http_minor);
  const bool other_version =
      error == HPE_PAUSED_H2_UPGRADE ||
      (error == HPE_INVALID_VERSION && llhttp_.http_major > 0 && !is_known(found));
  refuse(other_version ? Status::HTTP_VERSION_NOT_SUPPORTED : Status::BAD_REQUEST,
         place(position) + llhttp_get_error_reason(&llhttp_), position);
}

void MessageParser::refuse_limit(LineScanner::Excess excess) {
  const bool trailing = phase_ == Phase::trailers;
  switch (excess) {
    case LineScanner::Excess::start_line:
      refuse(Status::URI_TOO_LONG,
             place(position_) + "is longer than " + std::to_string(limits_.start_line()) + " bytes",
             position_);
    case LineScanner::Excess::field:
      refuse(Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
             place(position_) + "is longer than " + std::to_string(limits_.field()) + " bytes",
             position_);
    default:
      refuse(Status::REQUEST_HEADER_FIELDS_TOO_LARGE,
             (trailing ? "trailers: are longer than " : "head: is longer than ") +
                 std::to_string(trailing ? limits_.trailers() : limits_.head()) + " bytes",
             position_);
  }
}

/// "header field 3: ", for an error at that byte.
std::string MessageParser::place(std::uint64_t position) const {
  if (phase_ == Phase::chunk_size) return "chunk size: ";
  if (phase_ == Phase::chunk_data || phase_ == Phase::chunk_end) return "chunk: ";
  const bool trailing = phase_ == Phase::trailers;
  if (trailing) return "trailer field " + std::to_string(trailers_.size() + 1) + ": ";
  std::size_t lines = 0, line_begin = 0;
  const std::string_view head =
      std::string_view(HeadersBuilder::bytes(*headers_)).substr(0, position);
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] != '\n') continue;
    if (i - line_begin > 1) ++lines;
    line_begin = i + 1;
  }
  if (lines == 0) return "start line: ";
  return "header field " + std::to_string(lines) + ": ";
}

Event MessageParser::finish() {
  const Phase phase = phase_;
  if (phase == Phase::until_close) phase_ = Phase::end;
  if (phase_ == Phase::end) {
    leave_message();
    return Event::end;
  }
  const bool idle = phase == Phase::between || (phase == Phase::head && start_line().empty());
  if (phase == Phase::closed || phase == Phase::switched || (idle && !is_expecting()))
    return Event::need_more;
  if (phase != Phase::between) phase_ = Phase::failed;
  const std::string_view where = phase == Phase::between  ? "before"
                                 : phase == Phase::head   ? "inside the head of"
                                 : phase == Phase::failed ? "after an error in"
                                                          : "inside the body of";
  const std::uint64_t read = phase == Phase::between ? 0 : position_;
  throw IncompleteMessage("the connection ended " + std::string(where) + " a " + kind() +
                              " (byte " + std::to_string(read) + ")",
                          read);
}

std::string_view MessageParser::start_text() const noexcept {
  return std::string_view(HeadersBuilder::bytes(*headers_))
      .substr(start_at_, start_end_ - start_at_);
}

std::string_view MessageParser::start_line() const noexcept {
  std::string_view head(HeadersBuilder::bytes(*headers_));
  head.remove_prefix(std::min(head.find_first_not_of("\r\n"), head.size()));
  return head.substr(0, head.find('\r'));
}

Version MessageParser::version() {
  const Version found(llhttp_.http_major, llhttp_.http_minor);
  if (!is_known(found))
    refuse_head(Status::HTTP_VERSION_NOT_SUPPORTED,
                "start line: is of another version than 1.0 "
                "and 1.1");
  return found;
}

}  // namespace asyncio::http::detail
