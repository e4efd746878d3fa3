// SPDX-License-Identifier: BSL-1.0
/// What a parser of HTTP says about some bytes, as text that can be compared.
#pragma once

#include "http/request_parser.hpp"
#include "http/response_parser.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace test {

namespace http = asyncio::http;
using http::detail::Event;
using http::detail::RequestParser;
using http::detail::ResponseParser;

inline std::string framing_text(http::BodyFraming body) {
  switch (body.kind()) {
    case http::BodyFraming::Kind::none:
      return "none";
    case http::BodyFraming::Kind::length:
      return std::to_string(body.length());
    case http::BodyFraming::Kind::chunked:
      return "chunked";
    default:
      return "until close";
  }
}

inline std::string start_text(const http::RequestHead& head) {
  return std::string(head.method.str()) + " " + head.target;
}
inline std::string start_text(const http::ResponseHead& head) {
  return std::to_string(head.status.code()) + " " + head.reason;
}

inline std::string fields_text(const http::Headers& headers) {
  std::string out;
  for (auto [name, value] : headers)
    out.append("  ").append(name).append(": ").append(value).append("\n");
  return out;
}

template <class Head>
std::string head_text(const Head& head) {
  return start_text(head) + " 1." + std::to_string(head.version.minor_number()) +
         (head.keep_alive ? " keep" : " close") + " body " + framing_text(head.body) +
         (head.upgrade ? " upgrade" : "") + "\n" + fields_text(head.headers);
}

/// Feeds pieces to a parser and writes down what it says. Bytes of a body that come one behind the
/// other are one line, so the text does not depend on where the pieces begin.
template <class Parser>
class Transcript {
 public:
  /// `before_message` is called before each message that may come.
  explicit Transcript(
      Parser& parser, std::function<void()> before_message = [] {})
      : parser_(parser), before_message_(std::move(before_message)) {
    before_message_();
  }

  /// False once the parser has refused something.
  bool feed(std::string_view piece) {
    return guarded([&] {
      for (;;) {
        const auto parsed = parser_.parse(piece);
        piece.remove_prefix(parsed.consumed);
        note(parsed.event, parsed.body);
        if (parsed.event == Event::need_more) return;
      }
    });
  }
  bool finish() {
    return guarded([&] {
      const Event event = parser_.finish();
      note(event, {});
      if (event != Event::end) text_ += "finished\n";
    });
  }

  const std::string& text() const { return text_; }

 private:
  template <class F>
  bool guarded(F function) {
    try {
      function();
      return true;
    } catch (const http::BadRequest& error) {
      text_ += body() + std::to_string(error.status().code()) + " " + error.what() + "\n";
    } catch (const http::ProtocolError& error) {
      text_ += body() + "error " + error.what() + "\n";
    }
    return false;
  }
  void note(Event event, std::string_view bytes) {
    if (event == Event::body) body_ += bytes;
    if (event == Event::head) text_ += head_text(parser_.head());
    if (event != Event::end) return;
    text_ += body() + fields_text(parser_.trailers()) + "end\n";
    before_message_();
  }
  std::string body() {
    std::string line = body_.empty() ? "" : "body " + body_ + "\n";
    body_.clear();
    return line;
  }

  Parser& parser_;
  std::function<void()> before_message_;
  std::string text_;
  std::string body_;
};

/// Feeds all bytes in pieces of that size, then the end of the connection.
template <class Parser>
std::string text_of(
    Parser& parser, std::string_view bytes, std::size_t piece,
    std::function<void()> before_message = [] {}) {
  Transcript transcript(parser, std::move(before_message));
  for (std::size_t at = 0; at < bytes.size(); at += std::min(piece, bytes.size() - at))
    if (!transcript.feed(bytes.substr(at, piece))) return transcript.text();
  transcript.finish();
  return transcript.text();
}

inline std::string requests_text(std::string_view bytes, const http::HttpLimits& limits = {},
                                 std::size_t piece = std::string::npos) {
  RequestParser parser(limits);
  return text_of(parser, bytes, piece);
}

inline std::string response_text(http::Method method, std::string_view bytes, bool upgrade = false,
                                 const http::HttpLimits& limits = {},
                                 std::size_t piece = std::string::npos) {
  ResponseParser parser(limits);
  parser.expect(method, upgrade);
  return text_of(parser, bytes, piece);
}

}  // namespace test
