// SPDX-License-Identifier: BSL-1.0
#include "http/compression.hpp"

#include "asyncio/http/client_errors.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

using namespace asyncio;
using namespace asyncio::http::detail;
using http::ContentEncodingError;

namespace {

/// Part of it repeats, part does not.
std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    text += "the same again, ";
    text += static_cast<char>(random());
  }
  text.resize(size);
  return text;
}

std::string encoded(ContentCoding coding, std::string_view text, std::size_t piece = 1 << 20,
                    Flush between = Flush::None) {
  std::string output;
  auto encoder = make_encoder(coding);
  for (; text.size() > piece; text.remove_prefix(piece))
    encoder->encode(text.substr(0, piece), between, output);
  encoder->encode(text, Flush::End, output);
  return output;
}

std::string decoded(ContentCoding coding, std::string_view input, std::size_t piece,
                    std::size_t at_most, DecompressionLimits limits = {}) {
  std::string output;
  Decompressor decompressor(coding, limits);
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    Decoded state = Decoded::HasOutput;
    while (state == Decoded::HasOutput) {
      std::size_t before = output.size();
      state = decompressor.decode(part, output, at_most);
      EXPECT_LE(output.size() - before, at_most);
    }
    EXPECT_TRUE(part.empty());
  }
  decompressor.finish();
  return output;
}

std::string refusal(ContentCoding coding, std::string_view input, DecompressionLimits limits = {}) {
  try {
    return "accepted: " + std::to_string(decoded(coding, input, 1 << 20, 1 << 16, limits).size());
  } catch (const ContentEncodingError& error) {
    return error.what();
  }
}

class Compression : public ::testing::TestWithParam<ContentCoding> {};

INSTANTIATE_TEST_SUITE_P(, Compression,
                         ::testing::Values(ContentCoding::Gzip, ContentCoding::Deflate,
                                           ContentCoding::Brotli, ContentCoding::Zstd),
                         [](const auto& which) { return std::string(name_of(which.param)); });

TEST_P(Compression, D13_comes_back_as_it_was_in_pieces_of_any_size) {
  for (std::size_t size : {0, 1, 1000, 100'000}) {
    std::string text = sample(size), packed = encoded(GetParam(), text);
    EXPECT_LT(packed.size(), text.size() / 3 + 40);
    for (std::size_t piece : {1, 7, 1 << 20})
      for (std::size_t at_most : {1, 4096, 1 << 20})
        EXPECT_TRUE(decoded(GetParam(), packed, piece, at_most) == text) << size << " " << piece;
  }
  std::string text = sample(100'000);
  EXPECT_TRUE(decoded(GetParam(), encoded(GetParam(), text, 1000), 512, 512) == text);
}

TEST_P(Compression, D13_what_was_flushed_can_be_read) {
  auto encoder = make_encoder(GetParam());
  auto decoder = make_decoder(GetParam());
  std::string packed, text;
  for (std::string_view piece : {"one", "two", "three"}) {
    packed.clear();
    text.clear();
    encoder->encode(piece, Flush::Sync, packed);
    std::string_view input = packed;
    EXPECT_EQ(decoder->decode(input, text, 1000), Decoded::NeedsInput);
    EXPECT_EQ(text, piece);
  }
}

TEST_P(Compression, R13_what_is_none_is_refused) {
  EXPECT_NE(refusal(GetParam(), "x is none").find("no "), std::string::npos);
  std::string packed = encoded(GetParam(), sample(1000));
  EXPECT_NE(refusal(GetParam(), packed.substr(0, packed.size() - 1)).find("before its own end"),
            std::string::npos);
  EXPECT_EQ(refusal(GetParam(), packed), "accepted: 1000");
  EXPECT_EQ(refusal(GetParam(), ""), "accepted: 0");
}

TEST_P(Compression, R13_a_bomb_is_stopped_at_its_limit) {
  std::string packed = encoded(GetParam(), std::string(50 << 20, 'x'));
  std::string name(name_of(GetParam()));
  EXPECT_EQ(refusal(GetParam(), packed, {.max_output = 1 << 20}),
            name + " body of more than 1048576 bytes");
  EXPECT_NE(refusal(GetParam(), packed, {.max_ratio = 100}).find("grows more than 100-fold"),
            std::string::npos);
}

TEST(Gzip, R13_members_follow_each_other_and_what_comes_then_is_dropped) {
  std::string one = encoded(ContentCoding::Gzip, "one"), two = encoded(ContentCoding::Gzip, "two");
  for (std::size_t piece : {std::size_t{1}, one.size(), std::size_t{1} << 20}) {
    EXPECT_EQ(decoded(ContentCoding::Gzip, one + two, piece, 1 << 20), "onetwo");
    EXPECT_EQ(decoded(ContentCoding::Gzip, one + std::string(512, '\0'), piece, 1 << 20), "one");
  }
}

TEST(Deflate, D13_the_bare_stream_is_read_too) {
  std::string zlib = encoded(ContentCoding::Deflate, sample(1000));
  std::string bare = zlib.substr(2, zlib.size() - 6);
  EXPECT_EQ(decoded(ContentCoding::Deflate, bare, 1, 100), sample(1000));
}

TEST(Codings, D13_have_names) {
  EXPECT_EQ(find_coding("GZIP"), ContentCoding::Gzip);
  EXPECT_EQ(find_coding("x-gzip"), ContentCoding::Gzip);
  EXPECT_EQ(find_coding("identity"), std::nullopt);
  EXPECT_EQ(known_codings(), "gzip, deflate, br, zstd");
}

}  // namespace
