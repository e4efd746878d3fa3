// SPDX-License-Identifier: BSL-1.0
#include "asyncio/http/cookies.hpp"

#include "http/dates.hpp"
#include "rounds.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using http::Cookie;
using http::CookieJar;
using http::MultiDict;
using http::SameSite;
using http::URL;

namespace {

const Cookie::Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 21);

std::string error_of(auto body) {
  try {
    body();
  } catch (const ValueError& error) {
    return error.what();
  }
  return "none";
}

TEST(Cookie, D13_is_written_with_its_attributes) {
  EXPECT_EQ(Cookie("a", "b").text(), "a=b");
  EXPECT_EQ(
      Cookie("a", "b")
          .domain("example.com")
          .path("/x")
          .max_age(1h)
          .expires(kNow)
          .secure()
          .http_only()
          .same_site(SameSite::Lax)
          .text(),
      "a=b; Domain=example.com; Path=/x; Max-Age=3600; Expires=Sat, 21 Nov 2026 00:00:00 GMT; "
      "Secure; HttpOnly; SameSite=Lax");
}

TEST(Cookie, R13_no_header_can_be_split_by_one) {
  EXPECT_EQ(error_of([] { Cookie("a b", "c"); }), "cookie \"a b\": not a token");
  EXPECT_EQ(error_of([] { Cookie("a", "b\r\nSet-Cookie: c"); }),
            "cookie 'a': no value can have byte 0x0d at 1; quote() it first");
  EXPECT_NE(error_of([] { Cookie("a", "b").path("/;Secure"); }), "none");
  EXPECT_NE(error_of([] { Cookie("a", "b").domain("h\n"); }), "none");
  EXPECT_EQ(Cookie::parse("a=b\r\nc: d"), std::nullopt);
}

TEST(Cookie, D13_is_read_as_browsers_read_it) {
  auto cookie = Cookie::parse(
      " a = b=c ; Path=/p; DOMAIN=.Example.COM;secure ; HttpOnly=1; "
      "SameSite=strict; Max-Age=60; unknown");
  ASSERT_TRUE(cookie);
  EXPECT_EQ(cookie->name(), "a");
  EXPECT_EQ(cookie->value(), "b=c");
  EXPECT_EQ(cookie->path(), "/p");
  EXPECT_EQ(cookie->domain(), "example.com");
  EXPECT_TRUE(cookie->is_secure());
  EXPECT_TRUE(cookie->is_http_only());
  EXPECT_EQ(cookie->same_site(), SameSite::Strict);
  EXPECT_EQ(cookie->max_age(), 60s);
  for (std::string_view ignored : {"", "=b", "no pair", "; a=b"})
    EXPECT_EQ(Cookie::parse(ignored), std::nullopt) << ignored;
  EXPECT_EQ(Cookie::parse("a=" + std::string(4096, 'x')), std::nullopt);
  EXPECT_EQ(Cookie::parse("a=b; Max-Age=99999999999999999999")->max_age(), 876000h);
  EXPECT_EQ(Cookie::parse("a=b; Max-Age=-99999999999999999999")->max_age(), -1s);
  EXPECT_EQ(Cookie::parse("a=b; Max-Age=1x")->max_age(), std::nullopt);
}

TEST(Cookie, D13_dates_come_in_many_forms) {
  using namespace std::chrono;
  auto expected = sys_days(year(1994) / 11 / 6) + 8h + 49min + 37s;
  for (std::string_view date : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                "Sun Nov  6 08:49:37 1994", "6 november 1994 8:49:37"})
    EXPECT_EQ(Cookie::parse("a=b; Expires=" + std::string(date))->expires(), expected) << date;
  for (std::string_view date : {"", "06 Nov 1994", "32 Nov 1994 08:49:37", "29 Feb 2026 08:49:37",
                                "06 Nov 1994 24:00:00", "06 Nov 1600 08:49:37", "006 Nov 08:49:37"})
    EXPECT_EQ(Cookie::parse("a=b; Expires=" + std::string(date))->expires(), std::nullopt) << date;
}

/// The clock counts nanoseconds and ends in 2262; a session of 9999 must not end in the past.
TEST(Cookie, R13_dates_beyond_the_clock_are_its_first_or_last) {
  using http::detail::parse_cookie_date;
  const std::vector<std::string_view> early{"Mon, 01 Jan 1601 00:00:00 GMT",
                                            "Fri, 31 Dec 1676 23:59:59 GMT"};
  const std::vector<std::string_view> late{"Mon, 01 Jan 2300 00:00:00 GMT",
                                           "Fri, 31 Dec 9999 23:59:59 GMT"};
  for (std::string_view date : early) {
    ASSERT_TRUE(parse_cookie_date(date)) << date;
    EXPECT_LT(*parse_cookie_date(date), std::chrono::sys_days(std::chrono::year(1700) / 1 / 1));
    EXPECT_EQ(http::detail::http_date(*parse_cookie_date(date)), "Tue, 21 Sep 1677 00:12:44 GMT");
  }
  for (std::string_view date : late) {
    ASSERT_TRUE(parse_cookie_date(date)) << date;
    EXPECT_GT(*parse_cookie_date(date), std::chrono::sys_days(std::chrono::year(2262) / 1 / 1));
    EXPECT_EQ(http::detail::http_date(*parse_cookie_date(date)), "Fri, 11 Apr 2262 23:47:16 GMT");
  }
  EXPECT_LT(*parse_cookie_date("Mon, 01 Jan 2200 00:00:00 GMT"),
            *parse_cookie_date("Mon, 01 Jan 2300 00:00:00 GMT"));
}

TEST(Cookie, D13_a_request_carries_pairs) {
  EXPECT_EQ(http::parse_cookies("a=b; c=d=e;f=\"g\"; none; =h"),
            (MultiDict{{"a", "b"}, {"c", "d=e"}, {"f", "\"g\""}, {"", "h"}}));
}

class Jar : public ::testing::Test {
 protected:
  bool take(std::string_view cookie, const URL& from) { return jar.update(cookie, from, kNow); }
  std::string sent(const URL& url, Cookie::Time now = kNow) { return jar.header_for(url, now); }

  CookieJar jar;
};

TEST_F(Jar, D13_cookies_go_back_to_where_they_came_from) {
  EXPECT_TRUE(take("host=1", "http://www.example.com/"));
  EXPECT_TRUE(take("all=2; Domain=example.com", "http://www.example.com/"));
  EXPECT_TRUE(take("deep=3; Path=/a/b", "http://www.example.com/"));
  EXPECT_EQ(sent("http://www.example.com/"), "host=1; all=2");
  EXPECT_EQ(sent("http://example.com/"), "all=2");
  EXPECT_EQ(sent("http://x.www.example.com/"), "all=2");
  EXPECT_EQ(sent("http://www.example.com/a/b/c"), "deep=3; host=1; all=2");
  EXPECT_EQ(sent("http://www.example.com/a/bc"), "host=1; all=2");
  EXPECT_EQ(sent("http://notexample.com/"), "");
  EXPECT_EQ(sent("/relative"), "");
}

TEST_F(Jar, fault151_no_host_sets_cookies_for_another) {
  EXPECT_FALSE(take("a=1; Domain=other.com", "http://example.com/"));
  EXPECT_FALSE(take("a=1; Domain=www.example.com", "http://example.com/"));
  EXPECT_FALSE(take("a=1; Domain=com", "http://example.com/"));
  EXPECT_FALSE(take("a=1; Domain=0.0.1", "http://127.0.0.1/"));
  EXPECT_TRUE(take("a=1; Domain=127.0.0.1", "http://127.0.0.1/"));
  EXPECT_TRUE(take("a=1; Domain=localhost", "http://localhost/"));
  EXPECT_EQ(sent("http://x.localhost/"), "");
}

#ifdef ASYNCIO_HAS_LIBPSL
TEST_F(Jar, fault151_public_suffixes_are_known) {
  EXPECT_FALSE(take("a=1; Domain=co.uk", "http://example.co.uk/"));
  EXPECT_TRUE(take("a=1; Domain=example.co.uk", "http://www.example.co.uk/"));
}
#endif

TEST_F(Jar, fault151_secure_cookies_stay_within_TLS) {
  EXPECT_FALSE(take("a=1; Secure", "http://example.com/"));
  EXPECT_TRUE(take("a=1; Secure", "https://example.com/"));
  EXPECT_EQ(sent("http://example.com/"), "");
  EXPECT_EQ(sent("https://example.com/"), "a=1");
  EXPECT_FALSE(take("a=forged", "http://example.com/"));
  EXPECT_FALSE(take("a=forged; Domain=example.com", "http://www.example.com/"));
  EXPECT_TRUE(take("a=2", "https://example.com/"));
  EXPECT_FALSE(take("__Secure-b=1", "https://example.com/"));
  EXPECT_TRUE(take("__Secure-b=1; Secure", "https://example.com/"));
  EXPECT_FALSE(take("__Host-c=1; Secure; Path=/; Domain=example.com", "https://example.com/"));
  EXPECT_FALSE(take("__host-c=1; Secure; Path=/x", "https://example.com/"));
  EXPECT_TRUE(take("__Host-c=1; Secure; Path=/", "https://example.com/"));
}

TEST_F(Jar, D13_cookies_end) {
  EXPECT_TRUE(take("a=1; Max-Age=60", "http://h.example/"));
  EXPECT_TRUE(take("b=2; Expires=Sat, 21 Nov 2026 00:02:00 GMT", "http://h.example/"));
  EXPECT_TRUE(take("c=3; Max-Age=600; Expires=Sat, 21 Nov 2020 00:00:00 GMT", "http://h.example/"));
  EXPECT_EQ(sent("http://h.example/"), "a=1; b=2; c=3");
  EXPECT_EQ(sent("http://h.example/", kNow + 60s), "b=2; c=3");
  EXPECT_EQ(sent("http://h.example/", kNow + 120s), "c=3");
  EXPECT_TRUE(take("c=; Max-Age=0", "http://h.example/"));
  EXPECT_EQ(jar.size(), 0u);
}

TEST_F(Jar, fault151_cookies_end_when_they_say_beyond_the_clock_too) {
  EXPECT_TRUE(take("a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT", "http://h.example/"));
  EXPECT_TRUE(take("b=2; Expires=Mon, 01 Jan 2300 00:00:00 GMT", "http://h.example/"));
  EXPECT_TRUE(take("c=3", "http://h.example/"));
  EXPECT_EQ(sent("http://h.example/", kNow + 24h * 365 * 100), "a=1; b=2; c=3");
  EXPECT_TRUE(take("c=; Expires=Mon, 01 Jan 1601 00:00:00 GMT", "http://h.example/"));
  EXPECT_EQ(sent("http://h.example/"), "a=1; b=2");
}

TEST_F(Jar, D13_a_new_value_keeps_the_place) {
  take("a=1", "http://h.example/");
  take("b=2", "http://h.example/");
  take("a=3", "http://h.example/");
  EXPECT_EQ(sent("http://h.example/"), "a=3; b=2");
  jar.clear_domain("h.example");
  EXPECT_EQ(jar.size(), 0u);
}

TEST_F(Jar, fault151_is_bounded) {
  for (int i = 0; i < 1000; ++i) take("c" + std::to_string(i) + "=1", "http://h.example/");
  EXPECT_EQ(jar.size(), 180u);
  EXPECT_TRUE(sent("http://h.example/").starts_with("c820=1; "));
  // Each looks through all that there are.
  const int hosts = test::kOptimized && !test::kSanitized ? 100'000 : 3050;
  for (int i = 0; i < hosts; ++i) take("a=1", "http://h" + std::to_string(i) + ".example/");
  EXPECT_EQ(jar.size(), 3000u);
}

}  // namespace
