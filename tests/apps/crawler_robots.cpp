// SPDX-License-Identifier: BSL-1.0
// What apps/crawler reads in a robots.txt.
#include "asyncio/http/url.hpp"
#include "crawler/robots.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

TEST(CrawlerRobots, rules) {
  crawler::Robots rules(
      "# words\nUser-Agent: other\nDisallow: /\n\nuser-agent: a\nUSER-AGENT: Our-Bot\n"
      "disallow: /x # here\nAllow: /x/y\nDisallow: /*.gif$\nCrawl-delay: 2.5\n"
      "User-agent: *\nDisallow: /z\n",
      "our-bot/1.0 (friendly)");
  EXPECT_TRUE(rules.allows("/"));
  EXPECT_FALSE(rules.allows("/x"));
  EXPECT_FALSE(rules.allows("/xx"));
  EXPECT_TRUE(rules.allows("/x/y?z"));
  EXPECT_FALSE(rules.allows("/a/b.gif"));
  EXPECT_TRUE(rules.allows("/a/b.gif?x"));
  EXPECT_TRUE(rules.allows("/z"));
  EXPECT_EQ(rules.crawl_delay(), std::chrono::nanoseconds(2500ms));
  crawler::Robots others("User-agent: x\nDisallow: /\nUser-agent: *\nDisallow:\nDisallow: /*a*b",
                         "our-bot");
  EXPECT_TRUE(others.allows("/ba"));
  EXPECT_FALSE(others.allows("/xaxbx"));
  EXPECT_TRUE(crawler::Robots("\xEF\xBB\xBF<html>", "x").allows("/"));
  EXPECT_FALSE(crawler::Robots::nothing_allowed().allows("/"));
}

/// What a rule says of a URL as a page has it.
bool forbids(const std::string& rule, const std::string& link) {
  crawler::Robots rules("User-agent: *\nDisallow: " + rule + "\n", "our-bot");
  return !rules.allows(http::URL::lenient("http://h" + link).path_qs());
}

TEST(CrawlerRobots, rules_and_paths_are_the_same_however_they_are_encoded) {
  // The table of RFC 9309, 2.2.2: all that is in a row is the same path.
  std::vector<std::vector<std::string>> rows{
      {"/foo/bar?baz=quz"},
      {"/foo/bar?baz=https://foo.bar", "/foo/bar?baz=https%3A%2F%2Ffoo.bar"},
      {"/foo/bar/\u30C4", "/foo/bar/%E3%83%84", "/foo/bar/%e3%83%84"},
      {"/foo/bar/%62%61%7A", "/foo/bar/baz"},
      {"/%7Ejoe/", "/~joe/", "/%7ejoe/"},
      {"/a%3cb", "/a%3Cb", "/a<b"},
      {"/100%", "/100%25"}};
  for (const auto& row : rows)
    for (const auto& rule : row)
      for (const auto& link : row) EXPECT_TRUE(forbids(rule, link)) << rule << " and " << link;
  // What is reserved in a path is not the same there.
  EXPECT_FALSE(forbids("/a/b", "/a%2Fb"));
  EXPECT_FALSE(forbids("/a%3Fb", "/a?b"));
  EXPECT_TRUE(forbids("/*https://", "/x?y=https://z"));
}

TEST(CrawlerRobots, special_characters_can_be_meant_themselves) {
  // RFC 9309, 2.2.3.
  EXPECT_TRUE(forbids("/path/file-with-a-%2A.html", "/path/file-with-a-*.html"));
  EXPECT_FALSE(forbids("/path/file-with-a-%2A.html", "/path/file-with-a-b.html"));
  EXPECT_TRUE(forbids("/path/foo-%24", "/path/foo-$"));
  EXPECT_TRUE(forbids("/path/foo-%24", "/path/foo-$x"));
  EXPECT_TRUE(forbids("/a$b", "/a$bc"));
  EXPECT_FALSE(forbids("/a$", "/a$"));
  EXPECT_TRUE(forbids("/*.php$", "/a.php"));
}

}  // namespace
