// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using http::InvalidURL;
using http::MultiDict;
using http::URL;

namespace {

std::string refusal(std::string_view text) {
  try {
    return "accepted as " + std::string(URL(text).str());
  } catch (const InvalidURL& error) {
    return error.what();
  }
}

TEST(Url, D13_has_yarls_parts) {
  URL url("http://us%65r:p%40ss@example.com:8042/over/th%20ere?name=fer%26ret&n=1+2#no%20se");
  EXPECT_TRUE(url.is_absolute());
  EXPECT_EQ(url.scheme(), "http");
  EXPECT_EQ(url.user(), "user");
  EXPECT_EQ(url.password(), "p@ss");
  EXPECT_EQ(url.host(), "example.com");
  EXPECT_EQ(url.port(), 8042);
  EXPECT_EQ(url.host_port(), "example.com:8042");
  EXPECT_EQ(url.raw_path(), "/over/th%20ere");
  EXPECT_EQ(url.path(), "/over/th ere");
  EXPECT_EQ(url.name(), "th ere");
  EXPECT_EQ(url.path_qs(), "/over/th%20ere?name=fer%26ret&n=1+2");
  EXPECT_EQ(url.query(), (MultiDict{{"name", "fer&ret"}, {"n", "1 2"}}));
  EXPECT_EQ(url.fragment(), "no se");
  EXPECT_EQ(url.origin().str(), "http://example.com:8042/");
}

TEST(Url, D13_is_normalized) {
  EXPECT_EQ(URL("HTTP://EXAMPLE.com").str(), "http://example.com/");
  EXPECT_EQ(URL("https://h:443/a/./b/../c").str(), "https://h/a/c");
  EXPECT_EQ(URL("http://h:443").host_port(), "h:443");
  EXPECT_EQ(URL("http://h/%7Ea%2fb").str(), "http://h/~a%2Fb");
  EXPECT_EQ(URL("http://h/b/c/../../../d").str(), "http://h/d");
  EXPECT_EQ(URL("http://h?x").str(), "http://h/?x");
  EXPECT_EQ(URL("http://h/?").str(), "http://h/?");
  EXPECT_EQ(URL("http://h:/").str(), "http://h/");
  EXPECT_EQ(URL("http://h:00080/").str(), "http://h/");
  EXPECT_EQ(URL("http://[2001:DB8::0:1]:81/").str(), "http://[2001:db8::1]:81/");
  EXPECT_EQ(URL("http://[::1]/").host(), "::1");
  EXPECT_EQ(URL("http://h//two//slashes").raw_path(), "//two//slashes");
}

TEST(Url, R13_refuses_what_is_none) {
  EXPECT_EQ(refusal("http://a b/"), "'http://a b/': unexpected character at offset 8");
  EXPECT_EQ(refusal("http://h/%zz"), "'http://h/%zz': unexpected character at offset 10");
  for (std::string_view text : {"http://", "http:///x", "http://?x", "http:", "https:/x"})
    EXPECT_NE(refusal(text).find("URL without a host"), std::string::npos) << refusal(text);
  EXPECT_EQ(refusal("http://h:65536/"), "port 65536 is not between 0 and 65535");
  EXPECT_EQ(refusal("http://h:99999999999/"), "port 99999999999 is not between 0 and 65535");
  for (std::string_view text : {"http://a@b@c/", "http://h/\x01", "http://h/\xc3\xa9",
                                "http://h/\r\nX: y", "http://h\\x/", "http://[::1", "http://[g]/",
                                "http://h:8a/", "//h:x/", "http://h/<>", "http://h/%", "1http://h"})
    EXPECT_NE(refusal(text).find("': "), std::string::npos) << refusal(text);
  EXPECT_EQ(refusal("http://ex%61mple/"), "accepted as http://example/");
  EXPECT_EQ(refusal("http://a%2fb/"), "'a%2fb': percent-encoded bytes in a host");
  EXPECT_EQ(refusal("http://h/" + std::string(9000, 'a')),
            "a URL of 9009 bytes; the limit is 8192");
}

/// Messages get into logs.
TEST(Url, R13_a_refusal_does_not_tell_the_password) {
  for (std::string_view text :
       {"http://u:secret@a b/", "http://u:secret@h/%zz", "http://u:sec/secret@h/",
        "http://u:sec#secret@h/", "http://u:x@secret@h/", "//u:secret@h:x/"}) {
    std::string message = refusal(text);
    EXPECT_NE(message.find("': "), std::string::npos) << message;
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  }
  EXPECT_EQ(refusal("http://u:secret@a b/"),
            "'http://...@a b/': unexpected character at offset 17");
  EXPECT_EQ(refusal("mailto:a@b c"), "'mailto:a@b c': unexpected character at offset 10");
}

TEST(Url, D13_references_are_resolved_as_RFC_3986_5_4_says) {
  URL base("http://a/b/c/d;p?q");
  std::vector<std::pair<const char*, const char*>> cases{{"g:h", "g:h"},
                                                         {"g", "http://a/b/c/g"},
                                                         {"./g", "http://a/b/c/g"},
                                                         {"g/", "http://a/b/c/g/"},
                                                         {"/g", "http://a/g"},
                                                         {"//g", "http://g/"},
                                                         {"?y", "http://a/b/c/d;p?y"},
                                                         {"g?y", "http://a/b/c/g?y"},
                                                         {"#s", "http://a/b/c/d;p?q#s"},
                                                         {"g#s", "http://a/b/c/g#s"},
                                                         {";x", "http://a/b/c/;x"},
                                                         {"", "http://a/b/c/d;p?q"},
                                                         {".", "http://a/b/c/"},
                                                         {"./", "http://a/b/c/"},
                                                         {"..", "http://a/b/"},
                                                         {"../g", "http://a/b/g"},
                                                         {"../../g", "http://a/g"},
                                                         {"../../../g", "http://a/g"},
                                                         {"/./g", "http://a/g"},
                                                         {"/../g", "http://a/g"},
                                                         {"g.", "http://a/b/c/g."},
                                                         {"..g", "http://a/b/c/..g"},
                                                         {"./../g", "http://a/b/g"},
                                                         {"g/./h", "http://a/b/c/g/h"},
                                                         {"g/../h", "http://a/b/c/h"},
                                                         {"g;x=1/../y", "http://a/b/c/y"},
                                                         {"g?y/../x", "http://a/b/c/g?y/../x"}};
  for (auto [reference, expected] : cases)
    EXPECT_EQ(base.join(reference).str(), expected) << reference;
  EXPECT_THROW(URL("/relative").join("x"), InvalidURL);
}

TEST(Url, R13_a_path_is_never_taken_for_a_host) {
  EXPECT_FALSE(URL("/.//evil/").is_absolute());
  EXPECT_FALSE(URL(URL("/.//evil/").str()).is_absolute());
  EXPECT_EQ(URL("http://h/").join("/.//evil/").host(), "h");
  EXPECT_EQ(URL("http://h/").with_path("//evil").host(), "h");
  EXPECT_EQ(URL("/x").with_path("//evil").host(), "");
  EXPECT_EQ(URL("x").with_path("a:b").scheme(), "");
}

TEST(Url, D13_parts_can_be_replaced) {
  URL url("http://h/a?x=1#f");
  EXPECT_EQ((url / "b c").str(), "http://h/a/b%20c");
  EXPECT_EQ((URL("http://h") / "a" / "b/c").str(), "http://h/a/b/c");
  EXPECT_EQ(url.with_scheme("https").str(), "https://h/a?x=1#f");
  EXPECT_EQ(url.with_host("2001:db8::1").host_port(), "[2001:db8::1]");
  EXPECT_EQ(url.with_port(8080).with_port(80).str(), "http://h/a?x=1#f");
  EXPECT_EQ(url.with_credentials("a:b", "c@d").str(), "http://a%3Ab:c%40d@h/a?x=1#f");
  EXPECT_EQ(url.with_credentials("a:b", "c@d").user(), "a:b");
  EXPECT_EQ(url.with_credentials("a", "b").without_credentials(), url);
  EXPECT_EQ(url.with_path("/ü %41%zz").str(), "http://h/%C3%BC%20A%25zz");
  EXPECT_EQ(url.with_query({{"a b", "c&d"}, {"e", ""}}).str(), "http://h/a?a+b=c%26d&e=#f");
  EXPECT_EQ(url.extend_query({{"y", "2"}}).str(), "http://h/a?x=1&y=2#f");
  EXPECT_EQ(url.with_query("").str(), "http://h/a#f");
  EXPECT_EQ(url.without_fragment().with_fragment("a b").str(), "http://h/a?x=1#a%20b");
  for (std::string_view host : {"", "a/b", "a@b", "a b", "a#b", "[::1]", "a%2fb"})
    EXPECT_THROW(url.with_host(host), InvalidURL) << host;
  EXPECT_THROW(url.with_scheme("no scheme"), InvalidURL);
  EXPECT_THROW(URL("/x").with_port(1), InvalidURL);
}

TEST(Url, D13_a_crawler_reads_what_browsers_read) {
  auto lenient = [](std::string_view text) { return std::string(URL::lenient(text).str()); };
  EXPECT_EQ(lenient("  http://h/a b\n"), "http://h/a%20b");
  EXPECT_EQ(lenient("http:\\\\h\\a\\b?c\\d"), "http://h/a/b?c%5Cd");
  EXPECT_EQ(lenient("http://b\xc3\xbc"
                    "cher.example/\xc3\xa9?\xc3\xa9#\xc3\xa9"),
            "http://xn--bcher-kva.example/%C3%A9?%C3%A9#%C3%A9");
  EXPECT_EQ(lenient("http:////h/x"), "http://h/x");
  EXPECT_EQ(lenient("/100%/<x>"), "/100%25/%3Cx%3E");
  EXPECT_EQ(lenient("http://a@b@c/"), "http://a%40b@c/");
  EXPECT_EQ(lenient("http://[::1]:8/"), "http://[::1]:8/");
  EXPECT_EQ(lenient("mailto:a@b"), "mailto:a@b");
  EXPECT_EQ(lenient("a?b?c#d#e"), "a?b?c#d%23e");
  EXPECT_THROW(URL::lenient("http://h:99999/"), InvalidURL);
  EXPECT_THROW(URL::lenient("http:////"), InvalidURL);
  EXPECT_THROW(URL::lenient("http://\xff/"), InvalidURL);
}

/// Which would then be asked instead of the one that was looked at.
TEST(Url, R13_a_host_that_is_decoded_is_no_other_host) {
  for (std::string_view host :
       {"a%40b.example", "h%3A81", "good%2F.evil.com", "good%3F.evil.com", "good%23.evil.com",
        "good%5C.evil.com", "%5B::1%5D", "a%2540b", "h%00.evil.com", "h%20", "h%0D%0A", "h%7F",
        "b\xc3\xbc"
        "cher%00.evil.com",
        "b\xc3\xbc%2F.evil.com",
        "h\xef\xbc\x8f.evil.com",  // a fullwidth '/'
        "a\xef\xbc\xa0"
        "b.example"})  // a fullwidth '@'
    EXPECT_THROW(URL::lenient("http://" + std::string(host) + "/"), InvalidURL) << host;
  std::string_view raw("http://h\0.evil.com/", 19);
  EXPECT_THROW(URL::lenient(raw), InvalidURL);
  EXPECT_EQ(URL::lenient("http://%65x%61mple/").str(), "http://example/");
}

TEST(Url, R13_an_address_of_a_future_version_is_none) {
  EXPECT_THROW(URL("http://[v1.a:b]/"), InvalidURL);
  EXPECT_THROW(URL("http://[vF.a]:81/"), InvalidURL);
  EXPECT_THROW(URL::lenient("http://[v1.a:b]/"), InvalidURL);
  EXPECT_THROW(URL("http://h/").join("//[v1.a:b]/"), InvalidURL);
}

TEST(MultiDict, D13_keeps_order_and_repetitions) {
  MultiDict pairs{{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(pairs.get("a"), "1");
  EXPECT_EQ(pairs.getall("a"), (std::vector<std::string_view>{"1", "3"}));
  EXPECT_EQ(pairs.get("c"), std::nullopt);
  EXPECT_EQ(pairs.get("c", "d"), "d");
  EXPECT_THROW(pairs.at("c"), LookupError);
  pairs.set("a", "4");
  EXPECT_EQ(pairs, (MultiDict{{"a", "4"}, {"b", "2"}}));
  EXPECT_EQ(pairs.remove("a"), 1u);
  EXPECT_FALSE(pairs.contains("a"));
}

}  // namespace
