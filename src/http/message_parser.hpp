// SPDX-License-Identifier: BSL-1.0
/// What the parsers of requests and responses have in common: MessageParser.
#pragma once

#include "asyncio/http/errors.hpp"
#include "asyncio/http/head.hpp"
#include "asyncio/http/limits.hpp"
#include "http/line_scanner.hpp"

#include <llhttp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace asyncio::http::detail {

enum class Event : std::uint8_t {
  need_more,  // all input was taken
  head,       // `head()` is there
  body,       // some bytes of the body
  end,        // the message has ended; `trailers()` are there
};

/// What a call of `parse` came to.
struct Parsed {
  Event event;
  /// How many bytes of the input were taken; the others are to be given again.
  std::size_t consumed;
  /// Of the event `body`: a part of the input.
  std::string_view body;
};

/// Reads the messages of one connection. llhttp looks at every byte of heads, chunk sizes and
/// trailers; this sets the limits and the policy that it lacks, and counts the bytes of bodies.
/// What it says depends on the bytes alone, not on how they are split.
///
/// The head's lines go into the buffer of its Headers as they come, and llhttp reads them there: so
/// a field is where it was read, and nothing is copied twice.
///
///   between ──first byte──> head ──> counted | until_close | chunk_size ──> end ──> between
///                                    chunk_size -> chunk_data -> chunk_end -> chunk_size
///                                    chunk_size (0) -> trailers -> end
///   `end` goes on to closed if nothing may follow, to switched if another protocol does.
///   Every error goes to failed, which is for ever: nobody knows where the next message begins.
class MessageParser {
 public:
  MessageParser(const MessageParser&) = delete;
  MessageParser& operator=(const MessageParser&) = delete;

  /// Takes input up to the next event. Call it again with the bytes it has left, also if there are
  /// none, until it needs more: bytes behind a message stay untouched.
  ///
  /// Throws   ProtocolError; BadRequest for requests.
  Parsed parse(std::string_view input);

  /// Says that the connection has ended.
  ///
  /// Returns  `end` if that ends a message, `need_more` if there was none.
  /// Throws   IncompleteMessage inside a message, or where one was due.
  Event finish();

  /// Whether a byte of a message has come whose end has not.
  bool in_message() const noexcept { return phase_ != Phase::between; }

  /// The fields after a body in chunks, until the next message. They never change what is in the
  /// head.
  const Headers& trailers() const noexcept { return trailers_; }

 protected:
  MessageParser(llhttp_type_t type, const HttpLimits& limits);
  ~MessageParser() = default;

  /// Where the fields of heads go. To be called by whoever is constructed.
  void fill(Headers& headers) noexcept { headers_ = &headers; }
  /// As a new one; the memory stays.
  void restart(const HttpLimits& limits) noexcept;
  /// What the fields of its messages may take without asking for more.
  std::size_t held_bytes() const noexcept;

  /// Called before the first byte of a message.
  virtual void begin_head() = 0;
  /// Called when the head is whole: sets it up, and says how the body is framed.
  virtual BodyFraming complete_head() = 0;
  /// Whether a message is due.
  virtual bool is_expecting() const noexcept = 0;
  /// What follows the message: between, closed or switched.
  enum class Phase : std::uint8_t {
    between,
    head,
    counted,
    until_close,
    chunk_size,
    chunk_data,
    chunk_end,
    trailers,
    end,
    closed,
    switched,
    failed
  };
  virtual Phase phase_after() const noexcept = 0;
  /// Throws   BadRequest, or for a response ProtocolError: "KIND: what (byte N)".
  [[noreturn]] void refuse(Status status, const std::string& what, std::uint64_t position);

  /// Refuses the head, which has been read to its end.
  [[noreturn]] void refuse_head(Status status, const std::string& what) {
    refuse(status, what, position_);
  }

  /// What llhttp has found in the start line: the target or the reason.
  std::string_view start_text() const noexcept;
  /// The line in which it is, without its end and without empty lines before it.
  std::string_view start_line() const noexcept;
  Version version();
  const llhttp_t& state() const noexcept { return llhttp_; }
  const HttpLimits& limits() const noexcept { return limits_; }

 private:
  bool is_request() const noexcept { return llhttp_.type == HTTP_REQUEST; }
  const char* kind() const noexcept { return is_request() ? "request" : "response"; }

  /// What a callback found, where nothing may be thrown.
  enum class Fault : std::uint8_t { none, too_many_fields, long_name, no_memory };
  struct Callbacks;
  friend struct Callbacks;

  Parsed parse_on(std::string_view input);
  std::size_t step(std::string_view input);
  void begin_message();
  void check_last_line(std::string_view block);
  void check_first_field();
  void enter_body(BodyFraming framing);
  void leave_message();
  Parsed take_body(std::string_view input, std::size_t before, std::uint64_t most);
  void allow_bytes(std::uint64_t more);

  std::size_t feed_lines(std::string_view input, Headers& into);
  std::size_t feed_chunk_size(std::string_view input);
  std::size_t feed_chunk_end(std::string_view input);
  void enter_chunk();
  void complete_trailers();
  std::size_t feed(const char* data, std::size_t size);
  [[noreturn]] void refuse_limit(LineScanner::Excess excess);
  [[noreturn]] void refuse_fault(std::size_t offset);
  std::string place(std::uint64_t position) const;

  llhttp_t llhttp_;
  Phase phase_ = Phase::between;
  bool paused_ = false;       // llhttp is: the head or the message is whole
  bool name_open_ = false;    // a part of a name was seen
  bool value_open_ = false;   // a part of a value was seen
  bool start_open_ = false;   // a part of the target or reason was seen
  bool chunk_begun_ = false;  // the size of a chunk was seen
  Fault fault_ = Fault::none;
  std::uint8_t crlf_left_ = 0;   // of the end of a chunk
  const char* block_ = nullptr;  // the buffer of the Headers that are being filled
  Headers* filling_ = nullptr;
  std::size_t most_fields_ = 0;  // that it may have
  std::size_t start_at_ = 0, start_end_ = 0;
  std::size_t name_at_ = 0, name_end_ = 0, value_at_ = 0, value_end_ = 0;
  std::uint64_t position_ = 0;  // of the message's bytes that were taken
  std::uint64_t left_ = 0;      // bytes of the body, or of the chunk
  std::uint64_t body_bytes_ = 0;
  std::size_t chunk_line_ = 0;   // bytes of this size line
  std::size_t chunk_extra_ = 0;  // bytes of size lines beyond what a size needs
  std::size_t tiny_chunks_ = 0;
  LineScanner lines_;
  HttpLimits limits_;
  Headers* headers_ = nullptr;
  Headers trailers_;
};

}  // namespace asyncio::http::detail
