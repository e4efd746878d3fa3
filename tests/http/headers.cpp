// SPDX-License-Identifier: BSL-1.0
#include "allocation_count.hpp"
#include "asyncio/exceptions.hpp"
#include "asyncio/http.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

using asyncio::ValueError;
using asyncio::http::HeaderField;
using asyncio::http::Headers;

namespace {

using Values = std::vector<std::string_view>;

static_assert(std::forward_iterator<Headers::Iterator>);

std::string listed(const Headers& headers) {
  std::string out;
  for (auto [name, value] : headers) out.append(name).append(": ").append(value).append("\n");
  return out;
}

std::string refusal(std::string_view name, std::string_view value) {
  Headers headers{{"Before", "1"}};
  std::string said;
  try {
    headers.add(name, value);
  } catch (const ValueError& error) {
    said = error.what();
  }
  EXPECT_EQ(headers.size(), said.empty() ? 2u : 1u);
  EXPECT_EQ(headers[0].value, "1");
  return said;
}

TEST(Headers, keep_order_and_spelling) {
  Headers headers{{"Host", "example.org"}, {"X-B", "1"}, {"x-a", "2"}, {"X-b", "3"}};
  EXPECT_EQ(headers.size(), 4u);
  EXPECT_EQ(listed(headers), "Host: example.org\nX-B: 1\nx-a: 2\nX-b: 3\n");
  EXPECT_EQ(headers[3].name, "X-b");
}

TEST(Headers, names_are_compared_without_case) {
  Headers headers{{"Content-Type", "text/plain"}, {"SET-COOKIE", "a"}, {"Set-Cookie", "b"}};
  EXPECT_EQ(headers.get("content-type"), "text/plain");
  EXPECT_EQ(headers.get("CONTENT-TYPE", "none"), "text/plain");
  EXPECT_EQ(headers.getall("set-cookie"), (Values{"a", "b"}));
  EXPECT_TRUE(headers.contains("content-Type"));
  // Length and both ends are the same, the middle is not.
  EXPECT_FALSE(headers.contains("content-type-"));
  EXPECT_FALSE(headers.contains("contEMt-type"));
  EXPECT_FALSE(headers.get("").has_value());
  EXPECT_EQ(headers.get("ETag", "none"), "none");
  EXPECT_EQ(headers.getall("ETag"), Values{});
}

TEST(Headers, marks_that_differ_in_the_bit_of_case_are_not_the_same) {
  Headers headers{{"a^b", "1"}};
  EXPECT_FALSE(headers.contains("a~b"));
}

TEST(Headers, set_replaces_the_first_where_it_is_and_removes_the_others) {
  Headers headers{{"A", "1"}, {"Key", "old"}, {"B", "2"}, {"key", "older"}, {"C", "3"}};
  headers.set("KEY", "new");
  EXPECT_EQ(listed(headers), "A: 1\nKey: new\nB: 2\nC: 3\n");
  headers.set("D", "4");
  EXPECT_EQ(listed(headers), "A: 1\nKey: new\nB: 2\nC: 3\nD: 4\n");
  EXPECT_THROW(headers.set("A", "x\r\ny"), ValueError);
  EXPECT_EQ(headers.get("a"), "1");
}

TEST(Headers, remove_says_how_many) {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  EXPECT_EQ(headers.remove("A"), 2u);
  EXPECT_EQ(headers.remove("A"), 0u);
  EXPECT_EQ(listed(headers), "B: 2\n");
}

TEST(Headers, their_own_views_may_be_given_to_them) {
  Headers headers{{"Name", std::string(100, 'v')}};
  for (int i = 0; i < 20; ++i) headers.add(headers[0].name, headers[0].value);
  EXPECT_EQ(headers.getall("name"), Values(21, std::string(100, 'v')));
  headers.set(headers[3].name, headers[3].value);
  EXPECT_EQ(headers.getall("name"), Values{std::string(100, 'v')});
}

TEST(Headers, white_space_around_a_value_is_no_part_of_it) {
  Headers headers{{"A", " \t b c\t "}, {"Empty", "  "}};
  EXPECT_EQ(listed(headers), "A: b c\nEmpty: \n");
}

// CVE-2023-49081, -49082, 2026-34514 and others of aiohttp.
TEST(Headers, fault128_what_would_split_a_message_is_refused) {
  EXPECT_EQ(refusal("X", "a\r\nSet-Cookie: b"),
            "header \"X\": the value has a control character: byte 0x0d at 1");
  for (char c : std::string("\0\x01\x08\n\x0b\x0c\r\x1b\x1f\x7f", 10)) {
    EXPECT_NE(refusal("X", std::string("a") + c + "b"), "") << int{c};
    EXPECT_NE(refusal(std::string("X") + c, "a"), "") << int{c};
  }
  EXPECT_EQ(refusal("X", "tab\tand \xc3\xa4 are fine"), "");
}

TEST(Headers, fault128_names_are_tokens) {
  EXPECT_EQ(refusal("", "a"), "header name: is empty");
  EXPECT_EQ(refusal("X Y", "a"), "header name \"X Y\": is no token: byte 0x20 at 1");
  EXPECT_EQ(refusal("X\r\nY", "a"), "header name \"X\\x0d\\x0aY\": is no token: byte 0x0d at 1");
  for (char c : std::string("(),/:;<=>?@[\\]{}\" \t\x80\xff"))
    EXPECT_NE(refusal(std::string("X") + c, "a"), "") << int{c};
  EXPECT_EQ(refusal("!#$%&'*+-.^_`|~09azAZ", "a"), "");
  EXPECT_NE(refusal(std::string(65536, 'x'), "a"), "");
  EXPECT_EQ(refusal(std::string(65535, 'x'), "a"), "");
}

TEST(Headers, used_again_they_allocate_nothing) {
  Headers headers;
  auto fill = [&] {
    headers.clear();
    for (int i = 0; i < 12; ++i) headers.add("Some-Header", "with a value of some length");
  };
  fill();
  test::AllocationCount count;
  fill();
  EXPECT_EQ(count.made(), 0u);
}

TEST(Headers, a_field_that_is_set_for_ever_takes_no_more_memory) {
  Headers headers{{"A", "1"}, {"B", "2"}};
  for (int i = 0; i < 100; ++i) headers.set("A", std::string(100, 'a'));
  test::AllocationCount count;
  for (int i = 0; i < 10'000; ++i) headers.set("A", std::string(100, 'b'));
  EXPECT_LE(count.live_bytes(), 1000);
  EXPECT_EQ(listed(headers), "A: " + std::string(100, 'b') + "\nB: 2\n");
}

}  // namespace
