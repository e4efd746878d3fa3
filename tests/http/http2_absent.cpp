// SPDX-License-Identifier: BSL-1.0
// A build without nghttp2: who asks for HTTP/2 is told so, and all else speaks HTTP/1.
#include "asyncio/asyncio.hpp"
#include "asyncio/http/client.hpp"
#include "asyncio/testing/simulated.hpp"
#include "asyncio/web/runner.hpp"
#include "captures.hpp"
#include "raw_server.hpp"
#include "tls.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace asyncio;
using asyncio::testing::run_simulated;
using http::ClientResponse;
using http::ClientSession;
using http::Http2;
using http::SessionOptions;
using test::RawServer;
using test::thrown;

namespace {

TEST(Http2Absent, D13_who_asks_for_it_is_told_that_there_is_none) {
  run_simulated([]() -> Coro<> {
    EXPECT_EQ(thrown([] { ClientSession session(SessionOptions().http2(Http2::PriorKnowledge)); }),
              "asyncio::RuntimeError: ClientSession: asyncio::http is built without HTTP/2");
    EXPECT_EQ(thrown([] {
                web::AppRunner runner(web::Application(),
                                      web::RunnerOptions().http2_prior_knowledge(true));
              }),
              "asyncio::RuntimeError: AppRunner: asyncio::http is built without HTTP/2");
    co_return;
  });
}

/// Nothing but HTTP/1 is offered, so that a server that has both does not choose it.
TEST(Http2Absent, D13_a_server_that_has_both_gets_http1) {
  run_simulated([]() -> Coro<> {
    TlsContext context = test::pki().server();
    context.set_alpn_protocols({"h2", "http/1.1"});
    RawServer server =
        co_await RawServer::start(test::say_target, "localhost", ServerOptions().ssl(context));
    ClientSession session(SessionOptions().ssl(test::pki().client()));
    ClientResponse response = co_await session.get(server.url("/x"));
    EXPECT_EQ(response.version().major_number(), 1);
    std::string text = co_await response.text();
    EXPECT_EQ(text, "/x");
    session.close();
    co_await server.stop();
  });
}

}  // namespace
