// SPDX-License-Identifier: BSL-1.0
// Numbers that come as JSON: what does not fit is refused, by the server and by the client.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/http/nlohmann_json.hpp"
#include "asyncio/testing/simulated.hpp"
#include "captures.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

using namespace asyncio;
using test::serve;
using test::Served;
using test::thrown;

namespace {

template <class T>
std::string refusal(std::string_view text) {
  return thrown([&] { (void)http::JsonCodec<T>::parse(text); });
}

TEST(Json, R13_numbers_that_do_not_fit_are_refused) {
  EXPECT_EQ(refusal<int>("99999999999999"),
            "asyncio::ValueError: JSON: 99999999999999 is not from -2147483648 to 2147483647");
  EXPECT_EQ(refusal<int>("1.5"), "asyncio::ValueError: JSON: 1.5, no whole number");
  EXPECT_EQ(refusal<int>("true"), "asyncio::ValueError: JSON: boolean, no whole number");
  EXPECT_EQ(refusal<int>("[1]"), "asyncio::ValueError: JSON: array, no whole number");
  EXPECT_EQ(refusal<double>("\"1\""), "asyncio::ValueError: JSON: string, no number");
  for (const char* text : {"128", "-129", "18446744073709551615", "1e2"})
    EXPECT_NE(refusal<std::int8_t>(text), "nothing") << text;
  EXPECT_NE(refusal<unsigned>("-1"), "nothing");
  EXPECT_NE(refusal<unsigned>("4294967296"), "nothing");
  EXPECT_NE(refusal<std::int64_t>("9223372036854775808"), "nothing");
  EXPECT_NE(refusal<std::uint64_t>("18446744073709551616"), "nothing");
  EXPECT_NE(refusal<float>("1e39"), "nothing");
  EXPECT_NE(refusal<bool>("1"), "nothing");
}

TEST(Json, S49_numbers_that_fit) {
  EXPECT_EQ(http::JsonCodec<int>::parse("-2147483648"), -2147483647 - 1);
  EXPECT_EQ(http::JsonCodec<std::int8_t>::parse("127"), 127);
  EXPECT_EQ(http::JsonCodec<std::int64_t>::parse("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(http::JsonCodec<std::uint64_t>::parse("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(http::JsonCodec<double>::parse("3"), 3.0);
  EXPECT_EQ(http::JsonCodec<float>::parse("0.5"), 0.5f);
  EXPECT_TRUE(http::JsonCodec<bool>::parse("true"));
  EXPECT_EQ(http::JsonCodec<nlohmann::json>::parse("[1]").size(), 1u);
}

TEST(Json, R13_a_number_that_does_not_fit_is_a_400_and_a_ValueError) {
  asyncio::testing::run_simulated([]() -> Coro<> {
    web::Application app;
    app.post("/", [](web::Request& request) -> Coro<web::Response> {
      int number = co_await request.json<int>();
      co_return web::Response(std::to_string(number));
    });
    app.get("/", [](web::Request&) -> Coro<web::Response> {
      co_return web::Response().json("3000000000");
    });
    Served served = co_await serve(std::move(app));
    std::string answer = co_await test::exchange(
        served.port(),
        test::post("/", "Connection: close\r\nContent-Length: 10\r\n", "3000000000"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
    http::ClientSession session;
    http::ClientResponse response = co_await session.get(served.url());
    auto number = co_await capture(response.json<int>());
    EXPECT_TRUE(number.holds<ValueError>());
    session.close();
    co_await served.cleanup();
  }());
}

}  // namespace
