// SPDX-License-Identifier: BSL-1.0
// llhttp's own cases for the parser: what is refused there is refused here, and what is not is read
// the same, but for the differences that are listed.
#include "llhttp_cases.hpp"

#include "http_transcript.hpp"

#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <string>

using namespace test;

namespace {

/// Our words without what llhttp's log does not say.
std::string comparable(std::string text) {
  text = replaced(text, " 1\\.\\d (keep|close) body [^\n]*\n", "\n");
  return replaced(text, "finished\n", "");
}

std::string ours(const Case& one, const std::string& input, std::size_t piece) {
  if (one.is_request()) {
    RequestParser parser;
    return text_of(parser, input, piece);
  }
  // A response may be followed by others, each the answer to a request of its own.
  ResponseParser parser;
  return text_of(parser, input, piece,
                 [&] { parser.expect(one.skips_body() ? "HEAD" : "GET", true); });
}

bool was_refused(const std::string& text) {
  return std::regex_search(text,
                           std::regex("(^|\n)(400|413|414|431|501|505|error) (request|response):"));
}

/// Whether a truncated message was all there was left.
bool was_cut(const std::string& text) {
  return text.find("error the connection ended") != std::string::npos;
}

const char kTabs[] = "llhttp 9.2 refuses tabs around a length; later ones do not";
const char kForeign[] = "another protocol than HTTP";
const char kVersion[] = "another version than 1.0 and 1.1";
const char kFragment[] = "a fragment is no part of a target (RFC 9112, 3.2)";
const char kCoding[] = "a body is framed by chunked alone, or not at all";

/// What is read otherwise, and why: but for the first, we are stricter.
const std::map<std::string, const char*> kDifferences{
    {"request/content-length.md: Content-Length reset when no body is received",
     "their case skips the body that the request announces"},
    {"request/content-length.md: Tabs in `Content-Length` (surrounding)", kTabs},
    {"request/method.md: ANNOUNCE request with RTSP", kForeign},
    {"request/method.md: CONNECT with body", "a CONNECT has none (RFC 9110, 9.3.6)"},
    {"request/method.md: M-SEARCH request", "a target of * is for OPTIONS (RFC 9112, 3.2.4)"},
    {"request/method.md: OPTIONS request with RTSP", kForeign},
    {"request/method.md: SOURCE request with ICE", kForeign},
    {"request/sample.md: No HTTP version", kVersion},
    {"request/transfer-encoding.md: POST with `chunked` as last transfer-encoding", kFragment},
    {"request/transfer-encoding.md: POST with `chunked` as last transfer-encoding (multiple "
     "headers)",
     kFragment},
    {"request/uri.md: Fragment in URI", kFragment},
    {"request/uri.md: `host:port` and basic auth", "a target has no user's name (RFC 9110, 4.2.4)"},
    {"response/content-length.md: Tabs in `Content-Length` (surrounding)", kTabs},
    {"response/sample.md: HTTP version 0.9", kVersion},
    {"response/sample.md: ICE response", kForeign},
    {"response/sample.md: RTSP response", kForeign},
    {"response/transfer-encoding.md: `chunked` before other transfer-encoding", kCoding},
    {"response/transfer-encoding.md: `chunkedchunked` transfer-encoding does not enable chunked "
     "enconding",
     kCoding},
    {"response/transfer-encoding.md: multiple transfer-encoding where chunked is not the last one",
     kCoding},
};

TEST(LlhttpCases, are_read_alike_but_for_the_differences_that_are_listed) {
  std::set<std::string> seen;
  int alike = 0;
  for (const Case& one : all_cases()) {
    SCOPED_TRACE(one.name);
    const Expected expected(one);
    const std::string input = with_hosts(one, expected.hosts);
    const std::string whole = ours(one, input, std::string::npos);
    std::string heard = comparable(whole);
    const bool refused = was_refused(heard);
    const bool cut = was_cut(heard);
    if (refused || cut) heard = replaced(heard, "(4\\d\\d|501|505|error) [^\n]*\n$", "");
    // The end of the connection, which their runner does not say, ends a body.
    if (whole.find("body until close") != std::string::npos && heard == expected.text + "end\n")
      heard = expected.text;
    const bool same = refused == expected.refused && (refused || heard == expected.text);
    if (expected.switched && heard.starts_with(expected.text)) continue;
    // What they take when they are asked to be lenient we refuse.
    if (one.is_lenient() && refused) continue;
    const auto difference = kDifferences.find(one.name);
    if (difference == kDifferences.end()) {
      EXPECT_TRUE(same) << one.name << "\nrefused there: " << expected.refused << "\n"
                        << expected.text << "--- ours:\n"
                        << whole << "--- input:\n"
                        << input;
      alike += same;
    } else {
      EXPECT_FALSE(same) << one.name << " is listed, and is no difference";
      seen.insert(one.name);
    }
  }
  EXPECT_EQ(seen.size(), kDifferences.size());
  EXPECT_GE(alike, 180);
}

TEST(LlhttpCases, fault75_split_at_each_byte_are_the_same) {
  int count = 0;
  for (const Case& one : all_cases()) {
    SCOPED_TRACE(one.name);
    for (const std::string& input : {one.input, with_hosts(one, Expected(one).hosts)}) {
      const std::string whole = ours(one, input, std::string::npos);
      for (std::size_t piece : {1u, 2u, 3u, 5u, 8u, 13u, 100u})
        EXPECT_EQ(ours(one, input, piece), whole) << "in pieces of " << piece;
    }
    ++count;
  }
  EXPECT_GE(count, 246);
}

}  // namespace
