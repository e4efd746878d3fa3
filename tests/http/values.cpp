// SPDX-License-Identifier: BSL-1.0
#include "asyncio/exceptions.hpp"
#include "asyncio/http.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

using asyncio::ValueError;
using namespace asyncio::http;

namespace {

// Option types and heads are given to coroutines as temporaries, which g++ 12 would destroy twice.
static_assert(!std::is_aggregate_v<HttpLimits>);
static_assert(!std::is_aggregate_v<RequestHead> && !std::is_aggregate_v<ResponseHead>);
static_assert(std::is_trivially_copyable_v<Method> && std::is_trivially_copyable_v<Status>);

std::string refusal_of(std::string_view method) {
  try {
    Method made(method);
    return "";
  } catch (const ValueError& error) {
    return error.what();
  }
}

TEST(Method, is_a_constant_or_any_token) {
  EXPECT_EQ(Method("GET"), Method::GET);
  EXPECT_NE(Method("get"), Method::GET);
  EXPECT_NE(Method("GETX"), Method::GET);
  EXPECT_EQ(Method("PROPFIND").str(), "PROPFIND");
  EXPECT_EQ(Method::DELETE.str(), "DELETE");
}

// CVE-2023-49082 of aiohttp.
TEST(Method, fault147_what_would_split_a_request_is_refused) {
  EXPECT_EQ(refusal_of("GET / HTTP/1.1\r\nX: y"),
            "method \"GET / HTTP/1.1\\x0d\\x0aX: y\": is no token");
  EXPECT_EQ(refusal_of(""), "method \"\": is no token");
  EXPECT_NE(refusal_of(std::string("G\0T", 3)), "");
  EXPECT_EQ(refusal_of(std::string(23, 'A')), "");
  EXPECT_EQ(refusal_of(std::string(24, 'A')),
            "method \"AAAAAAAAAAAAAAAAAAAAAAAA\": is longer than 23 bytes");
}

TEST(Method, says_what_may_be_sent_again) {
  EXPECT_TRUE(Method::GET.safe() && Method::HEAD.safe() && Method::OPTIONS.safe());
  EXPECT_FALSE(Method::PUT.safe());
  EXPECT_TRUE(Method::PUT.idempotent() && Method::DELETE.idempotent());
  EXPECT_FALSE(Method::POST.idempotent() || Method::PATCH.idempotent());
  EXPECT_FALSE(Method("X").idempotent());
}

TEST(Status, has_a_phrase_and_a_class) {
  EXPECT_EQ(Status::NOT_FOUND, 404);
  EXPECT_EQ(Status(404).phrase(), "Not Found");
  EXPECT_EQ(Status::IM_A_TEAPOT.phrase(), "I'm a Teapot");
  EXPECT_EQ(Status(599).phrase(), "");
  EXPECT_TRUE(Status(103).is_informational() && Status(204).is_success());
  EXPECT_TRUE(Status(308).is_redirection() && Status(451).is_client_error());
  EXPECT_TRUE(Status(599).is_server_error());
  EXPECT_FALSE(Status(600).is_server_error());
}

TEST(Status, fault128_has_three_digits) {
  EXPECT_THROW(Status(99), ValueError);
  EXPECT_THROW(Status(1000), ValueError);
  EXPECT_THROW(Status(-1), ValueError);
  EXPECT_THROW(Status(65536 + 200), ValueError);
  EXPECT_EQ(Status(999).code(), 999);
}

TEST(Version, is_ordered) {
  EXPECT_LT(Version::http_1_0, Version::http_1_1);
  EXPECT_LT(Version(0, 9), Version::http_1_0);
  EXPECT_EQ(Version(1, 1), Version::http_1_1);
}

TEST(Heads, are_made_from_what_matters) {
  RequestHead request("PURGE", "/x", {{"Host", "a"}});
  EXPECT_EQ(request.method.str(), "PURGE");
  EXPECT_EQ(request.headers.get("host"), "a");
  ResponseHead response(Status::GONE);
  EXPECT_EQ(response.reason, "Gone");
  EXPECT_EQ(ResponseHead().reason, "OK");
  EXPECT_EQ(BodyFraming::of_length(3).length(), 3u);
  EXPECT_EQ(BodyFraming().kind(), BodyFraming::Kind::none);
}

}  // namespace
