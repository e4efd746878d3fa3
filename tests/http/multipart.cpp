// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/http/form_data.hpp"
#include "http/multipart_parser.hpp"
#include "http/parameters.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace asyncio;
using namespace asyncio::http::detail;
using http::FormData;
using http::MultiDict;

namespace {

/// What is in a body that arrives in pieces: "[headers]data|" for each part, and "end".
std::string read_all(std::string_view boundary, std::string_view body, std::size_t piece,
                     MultipartLimits limits = {}) {
  MultipartParser parser(boundary, limits);
  std::string seen, pending;
  while (true) {
    MultipartParser::Parsed parsed = parser.parse(pending);
    if (parsed.event == MultipartEvent::part) {
      seen += "[";
      for (http::HeaderField field : parser.headers())
        seen += std::string(field.name) + "=" + std::string(field.value) + ";";
      seen += "]";
    }
    if (parsed.event == MultipartEvent::data) seen += parsed.data;
    if (parsed.event == MultipartEvent::part_end) seen += "|";
    pending.erase(0, parsed.consumed);
    if (parsed.event == MultipartEvent::end) return seen + "end";
    if (parsed.event != MultipartEvent::need_more) continue;
    if (body.empty()) return seen + "cut";
    pending += body.substr(0, piece);
    body.remove_prefix(std::min(piece, body.size()));
  }
}

std::string refusal(std::string_view body, MultipartLimits limits = {}) {
  try {
    return read_all("b", body, 1000, limits);
  } catch (const ValueError& error) {
    return error.what();
  }
}

TEST(Multipart, D13_parts_come_whole_in_pieces_of_any_size) {
  std::string body =
      "--b\r\nA: 1\r\nB: "
      "2\r\n\r\none\r\n--b\r\n\r\n\r\n--b\r\nC:3\r\n\r\n\r\n-\r\n--\r\n--x\r\n--b--\r\nepilogue";
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000}})
    EXPECT_EQ(read_all("b", body, piece), "[A=1;B=2;]one|[]|[C=3;]\r\n-\r\n--\r\n--x|end") << piece;
  EXPECT_EQ(read_all("b", "--b--", 1), "end");
  EXPECT_EQ(read_all("b", "--b\r\n\r\nnever ends\r\n--", 1), "[]never endscut");
}

/// Also with the end of the line in two pieces.
TEST(Multipart, R13_a_header_has_the_same_limit_in_pieces_of_any_size) {
  MultipartLimits limits;
  limits.header_bytes = 20;
  auto outcome = [&](std::size_t length, std::size_t piece) -> std::string {
    std::string field = "A: " + std::string(length - 3, 'x');
    try {
      return read_all("b", "--b\r\n" + field + "\r\n\r\n\r\n--b--", piece, limits);
    } catch (const ValueError& error) {
      return error.what();
    }
  };
  for (std::size_t piece = 1; piece < 40; ++piece) {
    EXPECT_EQ(outcome(20, piece), "[A=xxxxxxxxxxxxxxxxx;]|end") << piece;
    EXPECT_EQ(outcome(21, piece), "multipart body: a header of a part is more than 20 bytes")
        << piece;
  }
}

TEST(Multipart, R13_what_is_none_is_refused) {
  EXPECT_EQ(refusal("preamble\r\n--b--"), "multipart body: it does not begin with its boundary");
  EXPECT_EQ(refusal("--bx\r\n"), "multipart body: byte 0x78 at 0 behind a boundary");
  EXPECT_NE(refusal("--b\r\nno field\r\n\r\n").find("headers that are none"), std::string::npos);
  EXPECT_NE(refusal("--b\r\nA: b\rc\r\n\r\n"), "");
  EXPECT_NE(refusal("--b\r\n" + std::string(9000, 'x')).find("more than 8192"), std::string::npos);
  EXPECT_EQ(refusal("--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b--", {.parts = 1}),
            "multipart body: more than 1 parts");
  for (std::string_view boundary : {"", "ends with ", "a\rb"})
    EXPECT_THROW(MultipartParser parser(boundary), ValueError) << boundary;
  EXPECT_THROW(MultipartParser parser(std::string(71, 'x')), ValueError);
}

TEST(FormData, D13_is_what_the_parser_reads) {
  FormData form;
  form.add_field("text", "a & b").add_file("file", "\r\n--bytes\0", "q\"uote.txt", "text/plain");
  std::string type = form.content_type();
  std::string seen = read_all(type.substr(type.find('=') + 1), form.body(), 7);
  EXPECT_EQ(seen,
            "[Content-Disposition=form-data; name=\"text\";]a & b|"
            "[Content-Disposition=form-data; name=\"file\"; filename=\"q%22uote.txt\";"
            "Content-Type=text/plain;]\r\n--bytes|end");
  EXPECT_THROW(form.add_file("f", "", "f", "a\r\nb"), ValueError);
}

TEST(Parameters, R13_that_are_quoted_cannot_end_their_quotes) {
  for (std::string_view text : {"a\\", "\\\\", "C:\\dir\\", "\\\"; a=b", ""}) {
    auto value = parse_parameters("form-data; name=" + quoted_parameter(text) + "; x=y");
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->parameters.get("x", ""), "y") << text;
    if (text.find('"') == std::string_view::npos) {
      EXPECT_EQ(value->parameters.get("name", ""), text);
    }
  }
}

TEST(Parameters, D13_are_read_with_quotes_and_charsets) {
  auto value =
      parse_parameters("Form-Data; NAME=\"a\\\"b;c\" ; filename*=UTF-8''%e2%82%ac.txt; filename=x");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->value, "form-data");
  EXPECT_EQ(value->parameters, (MultiDict{{"name", "a\"b;c"}, {"filename", "\xe2\x82\xac.txt"}}));
  value = parse_parameters(R"(form-data; filename="C:\dir\f"; a="\\host\x\"y\\")");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->parameters, (MultiDict{{"filename", R"(C:\dir\f)"}, {"a", R"(\host\x"y\)"}}));
  EXPECT_FALSE(parse_parameters(R"(a; b="c\")"));
  EXPECT_EQ(parse_parameters("text/html;")->value, "text/html");
  for (std::string_view none :
       {"", ";a=b", "a; b", "a; =c", "a; b=", "a; b=\"c", "a; b=c d", "a; *=utf-8''b"})
    EXPECT_FALSE(parse_parameters(none)) << none;
}

}  // namespace
