// SPDX-License-Identifier: BSL-1.0
/// What undoes a body: multipart and the content codings. They say the same however the input is
/// split, make no more than they may, and give back what was encoded.
#include "asyncio/exceptions.hpp"
#include "asyncio/http/client_errors.hpp"
#include "choices.hpp"
#include "http/compression.hpp"
#include "http/content_decoder.hpp"
#include "http/multipart_parser.hpp"
#include "pieces.hpp"

#include <string>
#include <vector>

using namespace asyncio;
using namespace asyncio::http;
using namespace asyncio::http::detail;
using fuzz::check;
using fuzz::Choices;
using fuzz::cut;
using fuzz::Sizes;

namespace {

/// Gives `take` the input in pieces of these sizes, or whole: what it leaves stands before the
/// next.
template <class Take>
void in_pieces(std::string_view input, const Sizes& sizes, Take take) {
  std::string kept;
  for (const std::string& piece : cut(input, sizes)) {
    kept += piece;
    const std::string exact = kept;  // its own memory: reading beyond is seen
    kept.erase(0, take(exact));
  }
}

/// What the parser says, in words; of a body that is refused only why.
std::string parts_of(std::string_view input, const Sizes& sizes) {
  MultipartParser parser("edge", {.header_bytes = 200, .parts = 5});
  std::string told;
  const auto take = [&](std::string_view given) {
    std::size_t used = 0;
    for (;;) {
      const auto parsed = parser.parse(given.substr(used));
      used += parsed.consumed;
      if (parsed.event == MultipartEvent::need_more || parsed.event == MultipartEvent::end) {
        if (parsed.event == MultipartEvent::end && !told.ends_with("[end]")) told += "[end]";
        return parsed.event == MultipartEvent::end ? given.size() : used;
      }
      if (parsed.event == MultipartEvent::part) {
        told += "[part";
        for (const auto& [name, value] : parser.headers())
          told.append(" ").append(name).append("=").append(value);
        told += "]";
      }
      if (parsed.event == MultipartEvent::data) told += parsed.data;
      if (parsed.event == MultipartEvent::part_end) told += "[over]";
    }
  };
  try {
    in_pieces(input, sizes, take);
  } catch (const ValueError& error) {
    return error.what();
  }
  return told;
}

void multipart(Choices& choices, const Sizes& sizes) {
  std::string input;
  while (choices.any()) {
    const int kind = choices.below(5);
    if (kind == 0) input += "\r\n--edge\r\n";
    if (kind == 1) input += "--edge--";
    if (kind == 2) input += "Content-Type: a/b\r\n\r\n";
    if (kind >= 3) input += choices.text(choices.byte() % 40u);
  }
  const std::string whole = parts_of(input, {});
  check(parts_of(input, sizes) == whole, "the pieces of a multipart body change what it means");
  check(parts_of(input, {1}) == whole, "single bytes change what a multipart body means");
}

constexpr std::uint64_t kMostOutput = 100'000;

/// What a body decodes to, or what is wrong with it.
std::string decoded(std::string_view coding, std::string_view input, const Sizes& sizes,
                    std::size_t at_most) {
  ContentDecoder decoder(*parse_codings(coding), {.max_output = kMostOutput});
  std::string output;
  try {
    in_pieces(input, sizes, [&](std::string_view given) {
      for (std::size_t before = output.size() + 1; output.size() != before || !given.empty();) {
        before = output.size();
        decoder.decode(given, output, at_most);
        check(output.size() - before <= at_most, "more was made than was asked for");
      }
      return std::string_view::npos;
    });
    decoder.finish();
  } catch (const ContentEncodingError&) {
    return "refused";
  }
  check(output.size() <= kMostOutput, "more was made than may be");
  return output;
}

void coding(Choices& choices, const Sizes& sizes) {
  constexpr std::string_view kCodings[] = {"gzip", "deflate", "br", "zstd", "gzip, br"};
  const std::string_view name = kCodings[choices.below(5)];
  const std::size_t at_most = 1 + choices.byte();
  const std::string input = choices.rest();
  const std::string whole = decoded(name, input, {}, at_most);
  check(decoded(name, input, sizes, at_most) == whole, "the pieces of a body change what it means");
}

void round_trip(Choices& choices, const Sizes& sizes) {
  constexpr ContentCoding kAll[] = {ContentCoding::Gzip, ContentCoding::Deflate,
                                    ContentCoding::Brotli, ContentCoding::Zstd};
  const ContentCoding which = kAll[choices.below(4)];
  const auto encoder = make_encoder(which, 1);
  std::string input, encoded;
  while (choices.any()) {
    const std::string piece = choices.text(choices.byte());
    input += piece;
    encoder->encode(piece, choices.one_in(2) ? Flush::Sync : Flush::None, encoded);
  }
  encoder->encode({}, Flush::End, encoded);
  check(decoded(name_of(which), encoded, sizes, 50) == input, "a body changes by being encoded");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  const int what = choices.below(3);
  Sizes sizes;
  for (int left = 1 + choices.below(4); left > 0; --left) sizes.push_back(1 + choices.byte() % 40u);
  if (what == 0) multipart(choices, sizes);
  if (what == 1) coding(choices, sizes);
  if (what == 2) round_trip(choices, sizes);
  return 0;
}
