// SPDX-License-Identifier: BSL-1.0
/// The parsers of HTTP requests and responses: whatever comes, they say the same however it is
/// split; what they took for a head can be written, and is then read as the same head.
#include "asyncio/exceptions.hpp"
#include "choices.hpp"
#include "http/write_head.hpp"
#include "http_transcript.hpp"

#include <string>
#include <string_view>
#include <vector>

using fuzz::check;
using fuzz::Choices;
using namespace test;

namespace {

/// Limits that short inputs come to, or the usual ones.
http::HttpLimits some_limits(Choices& choices) {
  http::HttpLimits limits;
  if (!choices.one_in(3)) return limits;
  limits.start_line(20 + choices.byte() % 60u).field(10 + choices.byte() % 60u);
  limits.fields(1 + choices.byte() % 8u).head(60 + choices.byte());
  limits.trailers(choices.byte()).trailer_fields(choices.byte() % 4u).body(choices.byte());
  return limits.chunk_extensions(choices.byte() % 40u).tiny_chunks(choices.byte() % 4u);
}

/// What it says of the input in pieces whose sizes were chosen; all of it in one if none were.
template <class Parser>
std::string told(Parser& parser, std::string_view input, const std::vector<std::size_t>& pieces,
                 std::function<void()> before_message) {
  Transcript transcript(parser, std::move(before_message));
  for (std::size_t i = 0; !input.empty(); ++i) {
    const std::string piece(
        input.substr(0, pieces.empty() ? input.size() : pieces[i % pieces.size()]));
    if (!transcript.feed(piece)) return transcript.text();
    input.remove_prefix(piece.size());
  }
  transcript.finish();
  return transcript.text();
}

/// The first head of the input, written and read again.
void round_trip(std::string_view input) {
  RequestParser parser;
  std::string out;
  try {
    if (parser.parse(input).event != Event::head) return;
    http::detail::write_head(out, parser.head());
  } catch (const http::ProtocolError&) {
    return;
  }
  RequestParser again;
  check(again.parse(out).event == Event::head, "a head that was read cannot be read again");
  check(head_text(again.head()) == head_text(parser.head()), "a head changes by being written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  const int kind = choices.below(4);
  const http::HttpLimits limits = some_limits(choices);
  std::vector<std::size_t> pieces;
  for (int left = 1 + choices.below(4); left > 0; --left)
    pieces.push_back(1 + choices.byte() % 40u);
  const std::string input = choices.rest();
  const auto say = [&](const std::vector<std::size_t>& sizes) {
    if (kind < 2) {
      RequestParser parser(limits);
      return told(parser, input, sizes, [] {});
    }
    ResponseParser parser(limits);
    return told(parser, input, sizes, [&] { parser.expect(kind == 2 ? "GET" : "HEAD", true); });
  };
  const std::string whole = say({});
  check(say(pieces) == whole, "the pieces of the input change what it means");
  check(say({1}) == whole, "single bytes change what the input means");
  if (kind == 0) round_trip(input);
  return 0;
}
