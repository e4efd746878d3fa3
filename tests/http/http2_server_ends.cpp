// SPDX-License-Identifier: BSL-1.0
// How a server over HTTP/2 ends: streams, connections and itself, also at a bad moment.
#include "asyncio/web/stream_response.hpp"
#include "backends.hpp"
#include "captures.hpp"
#include "connected.hpp"
#include "http2_client.hpp"
#include "raw_client.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace asyncio;
using namespace std::chrono_literals;
using namespace test::h2;
using test::Served;

namespace {

class Http2Ends : public test::BackendTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Http2Ends, ::testing::Values("simulated"), test::backend_name);

/// A sanitizer sees it if the connection's last timer outlives it.
TEST_P(Http2Ends, fault131_the_end_of_the_server_while_a_client_is_turned_away) {
  run([]() -> Coro<> {
    web::RunnerOptions options = with_http2();
    options.max_connections(1);
    Served served = co_await test::serve(echoing(), options);
    Client first = co_await connected_to(served.port(), "");
    Client second = co_await connected_to(served.port(), "");
    std::string said = co_await second.until_end();
    EXPECT_EQ(said, "goaway NO_ERROR 0");
    Task<void> ending = create_task(served.cleanup());
    co_await sleep(100ms);
    first.close();
    second.close();
    co_await ending;
    co_await sleep(5s);
  });
}

}  // namespace
